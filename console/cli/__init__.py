"""Jobs and runs from the shell: `jobdeck job …`, `jobdeck run …`, `jobdeck explain JOB`."""

from __future__ import annotations

from collections.abc import Sequence

from shared.command_tree import tree_for


def main(arguments: Sequence[str]) -> int:
    """Run one command (its own name comes first); returns its exit code, raises JobdeckError and typer's refusals."""
    from console.cli.app import app

    code = tree_for(app, arguments).main(args=list(arguments), prog_name="jobdeck", standalone_mode=False)
    return code if isinstance(code, int) else 0


def complete(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last of `words`."""
    from console.cli.app import app
    from console.cli.completing import complete_named
    from shared.completing import candidates, wanted

    return candidates(app, words) or complete_named(wanted(app, words), words)
