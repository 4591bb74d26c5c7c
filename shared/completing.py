"""Candidates for the shell: the words that a tree of commands knows. Whoever calls it has loaded typer for that tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.command_tree import tree_for

if TYPE_CHECKING:
    import typer


def candidates(app: typer.Typer, words: Sequence[str]) -> list[str]:
    """Subcommands where one is missing, options where the word begins with a dash, else nothing."""
    command: Any = tree_for(app, words[:-1])
    for word in words[:-1]:
        command = getattr(command, "commands", {}).get(word, command)
    if words and words[-1].startswith("-"):
        return ["--help", *(name for param in command.params for name in param.opts if name.startswith("--"))]
    return list(getattr(command, "commands", {}))
