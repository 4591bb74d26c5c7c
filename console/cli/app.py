"""The tree of commands."""

from __future__ import annotations

import typer

from console.cli.explain import explain
from console.cli.jobs import jobs
from console.cli.runs import runs

app = typer.Typer(
    name="jobdeck", add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)
app.add_typer(jobs, name="job")
app.add_typer(runs, name="run")
app.command()(explain)
