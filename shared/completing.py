"""Candidates for the shell: the words that a tree of commands knows. Whoever calls it has loaded typer for that tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.command_tree import tree_for

if TYPE_CHECKING:
    import typer


def candidates(app: typer.Typer, words: Sequence[str]) -> list[str]:
    """Subcommands where one is missing, options where the word begins with a dash, else nothing."""
    command, _ = _command(app, words)
    if words and words[-1].startswith("-"):
        return ["--help", *(name for param in command.params for name in param.opts if name.startswith("--"))]
    return list(getattr(command, "commands", {}))


def wanted(app: typer.Typer, words: Sequence[str]) -> str | None:
    """What the last word is to name, as the help calls it (`JOB`): an argument, or the value of the option before it.
    None where neither is to come, or nothing is said of it."""
    command, given = _command(app, words)
    options = {name: param for param in command.params for name in param.opts if name.startswith("-")}
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    place, valued = 0, None
    for word in given:
        option = options.get(word) if valued is None else None
        if valued is None and not word.startswith("-"):
            place += 1
        valued = option if option is not None and not (option.is_flag or option.count) else None
    if valued is None and arguments and (place < len(arguments) or arguments[-1].nargs == -1):
        valued = arguments[min(place, len(arguments) - 1)]
    return None if valued is None or valued.metavar is None else valued.metavar.strip("[].")


def _command(app: typer.Typer, words: Sequence[str]) -> tuple[Any, list[str]]:
    """The command that the words before the last lead to, and which of them are left for it."""
    command: Any = tree_for(app, words[:-1])
    left = list(words[:-1])
    while left and left[0] in getattr(command, "commands", {}):
        command = command.commands[left.pop(0)]
    return command, left
