"""`jobdeck audit`: what was done, by whom, from where; and who was refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from console.cli.calling import call
from console.cli.options import Json
from console.cli.output import Column, note, say, say_json, say_json_line, say_table
from console.client import AgentClient
from console.render.safe import to_one_line
from shared.exits import Exit
from shared.models.audit import AuditEntry

_PAGE = 200
_LOOK_EVERY = 2.0
"""Seconds between two looks for what is new."""


def show_audit(
    *,
    user: Annotated[str | None, typer.Option(metavar="USER", help="Of this user alone: handle or id.")] = None,
    subject: Annotated[str | None, typer.Option(help="Of this job, run, secret …: id or name.")] = None,
    act: Annotated[str | None, typer.Option(help="Of this operation (run_job) or event (job.changed).")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Refusals alone.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-F", help="Go on with what is done from now on.")] = False,
    as_json: Json = False,
) -> int:
    """Show what was done in the account, newest last. For administrators.

    Example: jobdeck audit --user ada --follow
    """
    wanted = {"user": user, "subject": subject, "act": act, "outcome": "refused" if refused else None}

    async def work(client: AgentClient) -> None:
        found = await _newest(client, wanted, limit)
        _say(found, as_json=as_json, follow=follow)
        last = found[-1].number if found else 0
        while follow:
            await asyncio.sleep(_LOOK_EVERY)
            page = (await client.shares.record(**wanted, after=last, limit=_PAGE)).items
            for entry in reversed(page):
                say_json_line(entry) if as_json else say(_line(entry))
            last = page[0].number if page else last

    call(work)
    return Exit.OK


async def _newest(client: AgentClient, wanted: dict[str, str | None], limit: int) -> list[AuditEntry]:
    """Oldest first."""
    found: list[AuditEntry] = []
    before: int | None = None
    while len(found) < limit:
        page = await client.shares.record(**wanted, before=before, limit=min(_PAGE, limit - len(found)))
        found, before = [*found, *page.items], page.before
        if before is None:
            break
    return found[::-1]


def _say(found: Sequence[AuditEntry], *, as_json: bool, follow: bool) -> None:
    if follow:
        for entry in found:
            say_json_line(entry) if as_json else say(_line(entry))
    elif as_json:
        say_json(list(found))
    elif not found:
        note("nothing is recorded of that")
    else:
        columns = [
            Column("AT"), Column("WHO"), Column("FROM"), Column("DID"), Column("WITH", flexible=True),
            Column("REVISION"), Column("OUTCOME", flexible=True),
        ]  # fmt: skip
        say_table(columns, [_cells(entry) for entry in found])


def _line(entry: AuditEntry) -> str:
    return "  ".join(to_one_line(cell) for cell in _cells(entry) if cell)


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    outcome = entry.outcome if entry.reason is None else f"{entry.outcome}: {entry.reason}"
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}Z",
        entry.handle,
        entry.address or entry.via,
        entry.act,
        entry.subject_name or entry.subject_id,
        str(entry.revision or ""),
        outcome if entry.count == 1 else f"{outcome} ({entry.count} times)",
    )
