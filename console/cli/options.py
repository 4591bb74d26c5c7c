"""Options that several commands share, worded once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON: what the API answers, of a list its items.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Private = Annotated[
    bool,
    typer.Option(
        "--private", help="From its first moment on, only you, and whom you share it with, may see and use it."
    ),
]
Where = Annotated[
    str | None,
    typer.Option("--filter", "-f", metavar="FILTER", help="Filter language, e.g. 'state:failed type:kb-sync started<2h'."),
]  # fmt: skip
JobKey = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, slug, owner:slug, or name.")]
RunKey = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's number (4) or id; or a job, meaning its newest run.")
]


def visibility_of(*, private: bool) -> Literal["account", "private"]:
    return "private" if private else "account"
