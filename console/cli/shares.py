"""`… share`, `unshare`, `shares` and `owner` of jobs, connections, knowledge bases, datasets and secrets; and for all
but jobs `visibility`. The same commands in each family, so that what is learned once holds everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar, cast

import typer

from console.cli.administering import administer
from console.cli.options import Json
from console.cli.output import Column, note, say, say_done, say_json, say_table
from console.cli.wording import when
from console.client import AgentClient
from console.client.shares import Place
from shared.clock import SystemClock
from shared.errors import InvalidInput
from shared.exits import Exit
from shared.models.share import AccessLevel, Share, Visibility

T = TypeVar("T")
_WRITTEN = {"principalId": "USER"}
_LEVELS = ("reader", "runner", "editor", "manager")
_SEEN = {
    "account": "all of the account may see and use it",
    "private": "its owner and whom it is shared with may see it",
}
_PRINCIPAL = typer.Argument(..., metavar="USER", help="A user's handle or id; `everyone` is all the account.")
_OWNER = typer.Argument(..., metavar="USER", help="A user's handle or id.")
Level = Annotated[str, typer.Option(help="reader, runner, editor or manager; each may what those before may.")]
Seen = Annotated[str | None, typer.Argument(metavar="[account|private]", help="Left out: say what it is.")]


@dataclass(frozen=True, slots=True)
class Shared:
    """A family of things that are shared: where the API has them, how they are called, what each level may."""

    place: Place
    family: str
    """As in `jobdeck connection share`."""
    word: str
    levels: str
    example: str
    key_help: str = "Its name or id."


JOBS = Shared(
    "jobs",
    "job",
    "job",
    "reader sees it, runner runs and cancels it, editor changes it, manager deletes and shares it",
    "orders-index",
    "A job's id, slug, owner:slug, or name.",
)
CONNECTIONS = Shared(
    "connections",
    "connection",
    "connection",
    "reader sees it, runner names it in jobs, editor imports into its tables, manager shares it",
    "shop",
)
KNOWLEDGE_BASES = Shared(
    "knowledge-bases",
    "kb",
    "knowledge base",
    "reader searches it, runner names it in jobs that fill it, editor replaces its attributes and removes rows, manager deletes and shares it",
    "orders_kb",
)
DATASETS = Shared(
    "datasets",
    "dataset",
    "dataset",
    "reader reads its rows, runner refreshes it and names it in jobs, editor changes it and imports into it, manager"
    " deletes and shares it",
    "orders",
)
SECRETS = Shared(
    "secrets",
    "secret",
    "secret",
    "reader knows that it is there, runner names it in jobs, manager shares it; nobody reads its value",
    "gateway-key",
    "As jobs and connections name it.",
)


def add_share_commands(group: typer.Typer, what: Shared) -> None:
    """`share`, `unshare` and `shares` for the things of a family."""
    command = f"jobdeck {what.family}"
    named = typer.Argument(..., metavar=what.family.upper(), help=what.key_help)
    nobody = f"it is shared with nobody; `{command} share {what.example} USER` shares one"
    helps = {
        "share": f"Share a {what.word}. A {what.levels}.\n\nExample: {command} share {what.example} ada --level runner",
        "unshare": f"Share a {what.word} no more with a user, or with everyone.\n\n"
        f"Example: {command} unshare {what.example} ada",
        "shares": f"With whom a {what.word} is shared.\n\nExample: {command} shares {what.example} --json",
    }

    @group.command("share", help=helps["share"])
    def share(key: str = named, user: str = _PRINCIPAL, *, level: Level = "reader", as_json: Json = False) -> int:
        made = _about_user(lambda client: client.shares.put(what.place, key, user, _level(level)))
        if as_json:
            say_json(made)
        else:
            note(f"{made.principal_name} is {made.access_level} of it")
        return Exit.OK

    @group.command("unshare", help=helps["unshare"])
    def unshare(key: str = named, user: str = _PRINCIPAL, *, as_json: Json = False) -> int:
        _about_user(lambda client: client.shares.remove(what.place, key, user))
        say_done("taken back", {"unshared": user}, as_json=as_json)
        return Exit.OK

    @group.command("shares", help=helps["shares"])
    def list_shares(key: str = named, *, as_json: Json = False) -> int:
        found = administer(lambda client: client.shares.list(what.place, key))
        if as_json:
            say_json(found)
        elif found:
            _say_shares(found)
        else:
            note(nobody)
        return Exit.OK


def add_giving_command(group: typer.Typer) -> None:
    """`owner` of jobs, which also their owners give away."""
    named = typer.Argument(..., metavar="JOB", help=JOBS.key_help)
    help_ = (
        "Give a job to another user. An administrator may, and its owner to a user who may see it. Whom it is shared"
        " with stays; its runs act as the new owner, who must be allowed to use what it names.\n\n"
        "Example: jobdeck job owner orders-index ada"
    )

    @group.command("owner", help=help_)
    def owner(key: str = named, user: str = _OWNER, *, as_json: Json = False) -> int:
        given = administer(lambda client: client.shares.give_job(key, user))
        if as_json:
            say_json(given)
        else:
            note(f"it is {user}'s now: {given.natural_id}")
        return Exit.OK


def add_owner_commands(group: typer.Typer, what: Shared) -> None:
    """`visibility` and `owner`, for what all of an account may use unless it is private."""
    command = f"jobdeck {what.family}"
    named = typer.Argument(..., metavar=what.family.upper(), help=what.key_help)
    helps = {
        "visibility": f"Say who may see and use a {what.word}. That is all of the account, or its owner and whom it"
        f" is shared with.\n\nExample: {command} visibility {what.example} private",
        "owner": f"Give a {what.word} to another user; for administrators.\n\nExample: {command} owner {what.example} ada",
    }

    @group.command("visibility", help=helps["visibility"])
    def visibility(key: str = named, wanted: Seen = None, *, as_json: Json = False) -> int:
        seen = _visibility(wanted)
        if seen is not None:
            administer(lambda client: client.shares.set_visibility(what.place, key, seen))
        found = administer(lambda client: client.shares.standing(what.place, key))
        if as_json:
            say_json(found)
        elif wanted is None:
            say(found.visibility)
        else:
            note(_SEEN[found.visibility])
        return Exit.OK

    @group.command("owner", help=helps["owner"])
    def owner(key: str = named, user: str = _OWNER, *, as_json: Json = False) -> int:
        administer(lambda client: client.shares.set_owner(what.place, key, user))
        if as_json:
            say_json(administer(lambda client: client.shares.standing(what.place, key)))
        else:
            note(f"it is {user}'s now")
        return Exit.OK


def _about_user(work: Callable[[AgentClient], Awaitable[T]]) -> T:
    """A user whom the agent does not know is told as what was written here."""
    try:
        return administer(work)
    except InvalidInput as refusal:
        raise InvalidInput(
            [replace(each, field=_WRITTEN.get(each.field, each.field)) for each in refusal.faults]
        ) from None


def _level(given: str) -> AccessLevel:
    if given not in _LEVELS:
        raise InvalidInput.one("level", f"must be one of {', '.join(_LEVELS)}", given)
    return cast("AccessLevel", given)


def _visibility(given: str | None) -> Visibility | None:
    if given is not None and given not in _SEEN:
        raise InvalidInput.one("visibility", f"must be one of {', '.join(_SEEN)}", given)
    return cast("Visibility | None", given)


def _say_shares(found: Sequence[Share]) -> None:
    now = SystemClock().now()
    columns = [Column("USER", flexible=True), Column("LEVEL"), Column("BY"), Column("SINCE"), Column("ID")]
    rows = [
        (one.principal_name, one.access_level, one.granted_by, when(one.granted_at, now), one.principal_id)
        for one in found
    ]
    say_table(columns, rows)
