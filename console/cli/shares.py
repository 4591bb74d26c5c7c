"""`jobdeck job share`, `unshare`, `shares`: who else may do what with a job."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from console.cli.calling import call
from console.cli.options import JobKey, Json
from console.cli.output import Column, note, say_json, say_table
from console.cli.wording import when
from shared.clock import SystemClock
from shared.errors import InvalidInput
from shared.exits import Exit
from shared.models.share import AccessLevel

_LEVELS = ("reader", "runner", "editor", "manager")
Principal = Annotated[str, typer.Argument(metavar="USER", help="A user's handle or id; `everyone` is all the account.")]


def share_job(
    job: JobKey,
    user: Principal,
    *,
    level: Annotated[
        str, typer.Option(help="reader, runner, editor or manager; each may what those before may.")
    ] = "reader",
    as_json: Json = False,
) -> int:
    """Share a job: reader sees it, runner runs and cancels it, editor changes it, manager deletes and shares it.

    Example: jobdeck job share orders-index ada --level runner
    """  # fmt: skip
    if level not in _LEVELS:
        raise InvalidInput.one("level", f"must be one of {', '.join(_LEVELS)}", level)
    made = call(lambda client: client.shares.put(job, user, cast("AccessLevel", level)))
    if as_json:
        say_json(made)
    else:
        note(f"{made.principal_name} is {made.access_level} of it")
    return Exit.OK


def unshare_job(job: JobKey, user: Principal) -> int:
    """Share a job no more with a user, or with everyone."""
    call(lambda client: client.shares.remove(job, user))
    note("taken back")
    return Exit.OK


def list_shares(job: JobKey, *, as_json: Json = False) -> int:
    """With whom a job is shared."""
    found = call(lambda client: client.shares.list(job))
    if as_json:
        say_json(found)
    elif found:
        now = SystemClock().now()
        columns = [Column("USER", flexible=True), Column("LEVEL"), Column("BY"), Column("SINCE"), Column("ID")]
        rows = [
            (one.principal_name, one.access_level, one.granted_by, when(one.granted_at, now), one.principal_id)
            for one in found
        ]
        say_table(columns, rows)
    else:
        note("it is shared with nobody: its owner and the administrators see it")
    return Exit.OK
