"""`jobdeck sentinel …`."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.calling import call
from console.cli.options import Json
from console.cli.output import Column, note, say, say_facts, say_json, say_table
from console.cli.wording import when
from console.client import AgentClient
from shared.clock import SystemClock
from shared.exits import Exit
from shared.models import Sentinel

sentinels = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Jobs unlike themselves: overdue, too slow, too fast, flapping."
)  # fmt: skip

_PAGE = 200
Key = Annotated[str, typer.Argument(metavar="SENTINEL", help="Its id, as the list shows it.")]


@sentinels.command("list")
def list_sentinels(
    *,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="Of this job alone: id, slug or name.")] = None,
    kind: Annotated[str | None, typer.Option(help="overdue, too_slow, too_fast or flapping.")] = None,
    closed: Annotated[bool, typer.Option("--all", "-a", help="Those that are over too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    as_json: Json = False,
) -> int:
    """List what is open now, newest first, and why.

    Example: jobdeck sentinel list --job orders-index --all
    """

    async def load(client: AgentClient) -> tuple[list[Sentinel], bool]:
        found: list[Sentinel] = []
        before: int | None = None
        while True:
            size = min(_PAGE, limit - len(found))
            page = await client.sentinels.page(
                job_id=job, kind=kind, state="all" if closed else "open", before=before, limit=size
            )
            found, before = [*found, *page.items], page.before
            if before is None or len(found) >= limit:
                return found, before is not None

    found, is_more = call(load)
    if as_json:
        say_json(found)
        return Exit.OK
    _say_list(found)
    if is_more:
        note(f"the newest {len(found)}; --limit shows more")
    return Exit.OK


@sentinels.command("show")
def show_sentinel(sentinel: Key, *, as_json: Json = False) -> int:
    """Show one: since when, why, and how it ended."""
    _say_one(call(lambda client: client.sentinels.get(sentinel)), as_json=as_json)
    return Exit.OK


@sentinels.command("acknowledge")
def acknowledge_sentinel(sentinel: Key, *, as_json: Json = False) -> int:
    """Say that somebody knows. It closes by itself when it is over."""
    _say_one(call(lambda client: client.sentinels.acknowledge(sentinel)), as_json=as_json)
    return Exit.OK


def _say_list(found: list[Sentinel]) -> None:
    if not found:
        say("every job behaves as usual")
        return
    now = SystemClock().now()
    columns = [Column("JOB", flexible=True), Column("IS"), Column("SINCE"), Column("STATE"), Column("ID"), Column("WHY", flexible=True)]  # fmt: skip
    say_table(
        columns,
        [(each.job_name, _words(each), when(each.since, now), _state(each), each.id, each.why) for each in found],
    )


def _say_one(sentinel: Sentinel, *, as_json: bool) -> None:
    if as_json:
        say_json(sentinel)
        return
    say_facts(
        [
            ("job", sentinel.job_name),
            ("is", _words(sentinel)),
            ("why", sentinel.why),
            ("since", f"{sentinel.since:%Y-%m-%d %H:%M:%S}Z"),
            ("noticed", f"{sentinel.opened_at:%Y-%m-%d %H:%M:%S}Z"),
            ("run", sentinel.run_id or ""),
            ("known to", sentinel.acknowledged_by or ""),
            ("closed", f"{sentinel.closed_at:%Y-%m-%d %H:%M:%S}Z" if sentinel.closed_at else ""),
            ("because", sentinel.closed_because or ""),
            ("id", sentinel.id),
        ]
    )


def _words(sentinel: Sentinel) -> str:
    return sentinel.kind.replace("_", " ")


def _state(sentinel: Sentinel) -> str:
    if sentinel.closed_at is not None:
        return "closed"
    return f"{sentinel.acknowledged_by} knows" if sentinel.acknowledged_by else "open"
