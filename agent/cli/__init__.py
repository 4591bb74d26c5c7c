"""The commands that are the agent, not its clients: `jobdeck agent`, `demo`, `backup`, `restore`, `doctor`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from shared.command_tree import tree_for


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. `argv` begins with the command's name."""
    from agent.cli.commands import app

    words = list(sys.argv[1:] if argv is None else argv)
    result = tree_for(app, words).main(args=words, prog_name="jobdeck", standalone_mode=False)
    return result if isinstance(result, int) else 0


def complete(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last of `words`."""
    from agent.cli.commands import app
    from shared.completing import candidates

    return candidates(app, words)
