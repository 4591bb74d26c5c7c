"""Flags and help texts of the agent's own commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import upkeep
from shared.places import data_dir
from shared.starting import starting

if TYPE_CHECKING:
    from agent.settings import Settings

app = typer.Typer(
    name="jobdeck",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _commands() -> None:
    """Jobdeck's agent."""


@app.command()
def agent(
    folder: Annotated[
        Path | None, typer.Option("--data-dir", help="Where everything is kept (also JOBDECK_DATA_DIR).")
    ] = None,
    bind: Annotated[str | None, typer.Option(help="HOST:PORT of the HTTP API; '' for the Unix socket alone.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings as TOML; default: agent.toml in the data folder.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the console calls this agent.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many runs at once.")] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json.")] = None,
    production: Annotated[
        bool | None, typer.Option("--production/--no-production", help="Ask harder before acts on many runs.")
    ] = None,
    maintenance: Annotated[
        bool, typer.Option("--maintenance", help="Answer on the Unix socket only, and run nothing.")
    ] = False,
) -> int:
    """Run the agent in the foreground: scheduler, workers, HTTP API.

    It stops gracefully on TERM or Ctrl-C: running work gets a moment to end, then is ended. A second signal ends it at once.
    """
    home = folder or data_dir()
    flags = {"bind": bind, "name": name, "workers": workers, "log_format": log_format, "production": production}
    with starting(home.expanduser()) as started:
        settings = _settings(home, config, {**flags, **({"bind": ""} if maintenance else {})})
        from agent.cli.foreground import run_agent
        from agent.loop import run

        return run(run_agent(settings, maintenance=maintenance, started=started))


def _settings(home: Path, config: Path | None, flags: dict[str, Any]) -> Settings:
    from agent.settings import load_settings

    if config is None and (home / "agent.toml").exists():
        config = home / "agent.toml"
    elif config is not None and not config.is_file():
        raise typer.BadParameter(f"there is no file {config}", param_hint="--config")
    return load_settings(config, {"data_dir": home, **flags})


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the demo's agent; another one is taken if it is busy.")] = 8000,
    keep: Annotated[
        Path | None,
        typer.Option(help="Build the world in this folder and keep it, or open the one that is kept there."),
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Run the main job once and print what came out.")
    ] = False,
) -> int:
    """Build a whole working world in a temporary folder: in a terminal open the console on it; without one run
    the main job once, print the outcome and exit."""
    from agent.demo import run_demo
    from agent.loop import run

    in_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not headless
    return run(run_demo(port=port, keep=keep, in_terminal=in_terminal))


app.command()(upkeep.backup)
app.command()(upkeep.restore)
app.command()(upkeep.doctor)
