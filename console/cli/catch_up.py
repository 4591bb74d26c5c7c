"""`jobdeck catch-up …`."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer

from console.cli.calling import call, confirm
from console.cli.options import Json, Yes
from console.cli.output import Column, note, say, say_json, say_table
from console.cli.wording import when
from console.render.amounts import count
from shared.clock import SystemClock
from shared.errors import Fault, InvalidInput
from shared.exits import Exit
from shared.models import Backlog, HeldChoice, HeldDecision, HeldJob, ReleaseChoice

catch_up = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Missed fires that wait. After a long absence of the agent you say what is caught up.",
)

Jobs = Annotated[list[str] | None, typer.Argument(metavar="JOB...", help="Ids, slugs or names of jobs.")]
Every = Annotated[bool, typer.Option("--all", help="The fires of all jobs.")]
Since = Annotated[str | None, typer.Option(metavar="MOMENT", help="Only fires due from then on (ISO 8601, with zone).")]
Until = Annotated[str | None, typer.Option(metavar="MOMENT", help="Only fires due until then.")]


@catch_up.command("list")
def list_held(*, as_json: Json = False) -> int:
    """List jobs with missed fires that wait. They wait for you, or are released and wait for their turn.

    Example: jobdeck catch-up list
    """
    found = call(lambda client: client.catch_ups.backlog())
    if as_json:
        say_json(found)
    elif not found.items:
        note("no missed fire waits")
    else:
        _say_backlog(found)
    return Exit.OK


@catch_up.command("release")
def release(
    jobs: Jobs = None,
    *,
    every: Every = False,
    latest: Annotated[
        bool, typer.Option("--latest", help="Run only the newest of each job; it stands for the others.")
    ] = False,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Let missed fires run. They run one after the other of each job, all jobs together under the agent's rate.

    Example: jobdeck catch-up release orders-index --latest
    """
    chosen = _chosen(jobs, since, until, every=every)
    choice = ReleaseChoice(**chosen.model_dump(), take="latest" if latest else "all")
    word = "the newest missed fire of" if latest else "missed fires of"
    confirm(f"run {word} {_named(choice)}?", yes=yes)
    return _say_decision(call(lambda client: client.catch_ups.release(choice)), as_json=as_json)


@catch_up.command("discard")
def discard(
    jobs: Jobs = None,
    *,
    every: Every = False,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Give missed fires up: they are never run. Released ones that have not started as well.

    Example: jobdeck catch-up discard --all --until 2026-03-02T06:00Z
    """
    choice = _chosen(jobs, since, until, every=every)
    confirm(f"give up missed fires of {_named(choice)}?", yes=yes)
    return _say_decision(call(lambda client: client.catch_ups.discard(choice)), as_json=as_json)


def _chosen(jobs: list[str] | None, since: str | None, until: str | None, *, every: bool) -> HeldChoice:
    if bool(jobs) == every:
        raise InvalidInput.one("JOB", "name jobs, or give --all; not both", " ".join(jobs or ()))
    first, last = _moment("--since", since), _moment("--until", until)
    if first and last and last < first:
        raise InvalidInput([Fault("--until", "must not lie before --since", until)])
    return HeldChoice(jobs=jobs or None, since=first, until=last)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    raise InvalidInput.one(option, "write a moment with its zone, as in 2026-03-02T06:00Z", text)


def _named(choice: HeldChoice) -> str:
    span = "".join(
        f" {word} {at:%Y-%m-%d %H:%M}Z" for word, at in (("since", choice.since), ("until", choice.until)) if at
    )
    return ("all jobs" if choice.jobs is None else ", ".join(choice.jobs)) + span


def _say_backlog(found: Backlog) -> None:
    now = SystemClock().now()
    if found.waiting:
        wait = "waits" if found.waiting == 1 else "wait"
        say(f"{count(found.waiting, 'missed fire')} {wait} for you: release or discard them")
    if found.released:
        say(f"{count(found.released, 'released fire')} to go, at most {found.rate:,} a minute")
    columns = [
        Column("JOB", flexible=True), Column("WAIT"), Column("RELEASED"), Column("OLDEST"), Column("NEWEST"), Column("IS")
    ]  # fmt: skip
    say_table(columns, [_row(item, now) for item in found.items])


def _row(item: HeldJob, now: datetime) -> tuple[str, ...]:
    counts = (f"{item.waiting:,}", f"{item.released:,}")
    return (item.slug, *counts, when(item.oldest, now), when(item.newest, now), item.stopped or "on")


def _say_decision(done: HeldDecision, *, as_json: bool) -> int:
    if as_json:
        say_json(done)
        return Exit.OK
    parts = [
        (done.released, "released"), (done.coalesced, "stood for by a later one"), (done.discarded, "discarded"),
        (done.closed, "skipped, for the window of their job is over"),
    ]  # fmt: skip
    told = [f"{number:,} {word}" for number, word in parts if number]
    say(", ".join(told) if told else "no such fire waits")
    if done.left:
        note(f"{count(done.left, 'fire')} of paused or disabled jobs wait on: resume or enable those, or discard them")
    return Exit.OK
