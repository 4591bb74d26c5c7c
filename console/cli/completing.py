"""Candidates for the shell: the words that the tree of commands knows."""

from __future__ import annotations

from collections.abc import Sequence

import typer.main

from console.cli.app import app


def candidates(words: Sequence[str]) -> list[str]:
    """Subcommands where one is missing, options where the word begins with a dash, else nothing."""
    command = typer.main.get_command(app)
    for word in words[:-1]:
        command = getattr(command, "commands", {}).get(word, command)
    if words and words[-1].startswith("-"):
        return ["--help", *(name for param in command.params for name in param.opts if name.startswith("--"))]
    return list(getattr(command, "commands", {}))
