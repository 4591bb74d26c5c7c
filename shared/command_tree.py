"""The part of a tree of commands that is asked for: typer makes a tree anew for each call, with a hundred commands for one.

Whoever calls it has loaded typer for that tree."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer
    from typer.core import TyperGroup
    from typer.models import TyperInfo


def tree_for(app: typer.Typer, words: Sequence[str]) -> TyperGroup:
    """What `app` knows of the words. Where a word names nothing that is there, all of that group is in it."""
    import typer.main

    return typer.main.get_group(_narrowed(app, words))


def _narrowed(app: typer.Typer, words: Sequence[str]) -> typer.Typer:
    import typer.main

    def name(command: typer.models.CommandInfo) -> str:
        return command.name or typer.main.get_command_name(getattr(command.callback, "__name__", ""))

    commands = [each for each in app.registered_commands if words and name(each) == words[0]]
    groups = [each for each in app.registered_groups if words and each.name == words[0]]
    if not commands and not groups:
        return app
    part = copy(app)
    part.registered_commands = commands
    part.registered_groups = [_narrowed_group(group, words[1:]) for group in groups]
    return part


def _narrowed_group(group: TyperInfo, words: Sequence[str]) -> TyperInfo:
    part = copy(group)
    if group.typer_instance is not None:
        part.typer_instance = _narrowed(group.typer_instance, words)
    return part
