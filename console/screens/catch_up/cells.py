"""A job with missed fires, as a row and in lines; and what it would cost to run them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.ages import age
from console.render.amounts import count
from console.render.look import Look
from console.render.spans import clock_time, short_span
from console.widgets.line import safe_text
from console.widgets.table import Column

if TYPE_CHECKING:
    from shared.models import Backlog, HeldDecision, HeldJob

COLUMNS = (
    Column("job", "Job", 16, flex=1),
    Column("waiting", "Wait for you", 12, align="right"),
    Column("released", "Released", 8, align="right", priority=1),
    Column("oldest", "Oldest", 10, align="right"),
    Column("newest", "Newest", 10, align="right", priority=2),
    Column("stopped", "Job is", 8),
)


def held_cells(held: HeldJob, now: datetime, look: Look) -> Sequence[Text]:
    muted, warning = look.palette.muted, look.palette.warning
    return (
        safe_text(held.job_name),
        Text(f"{held.waiting:,}", f"bold {warning}" if held.waiting else muted),
        Text(f"{held.released:,}", muted),
        Text(age(held.oldest, now)),
        Text(age(held.newest, now)),
        Text(held.stopped or "on", warning if held.stopped else muted),
    )


def describe_held(held: HeldJob, backlog: Backlog, now: datetime, look: Look) -> list[Text]:
    span = clock_time(held.oldest, now)
    if held.newest != held.oldest:
        span = f"{span} to {clock_time(held.newest, now)}"
    released = f", {held.released:,} more wait for their turn" if held.released else ""
    lines = [
        safe_text(f"due {span}: {held.waiting:,} for you to decide{released}"),
        Text(cost(held.waiting, backlog.rate), look.palette.muted),
    ]
    if held.stopped:
        lines[1] = Text(
            f"the job is {held.stopped}: nothing of it starts before it is {'resumed' if held.stopped == 'paused' else 'enabled'}",
            look.palette.warning,
        )
    return lines


def cost(fires: int, rate: int) -> str:
    """What catching up takes at least: the agent starts no more than `rate` a minute."""
    if not fires:
        return "nothing waits for a decision"
    least = short_span(timedelta(minutes=fires / rate)) if rate else "an unknown time"
    return f"to run them all: {count(fires, 'run')}, at most {rate:,} a minute, so {least} at least"


def told(done: HeldDecision) -> str:
    """What came of it, in a line."""
    parts = [
        (done.released, "released"),
        (done.coalesced, "stood for by a later one"),
        (done.discarded, "given up"),
        (done.closed, "skipped, the window of their job is over"),
        (done.left, "wait on, their jobs are paused or disabled"),
    ]
    words = [f"{number:,} {word}" for number, word in parts if number]
    return ", ".join(words) if words else "no such fire waits any more"
