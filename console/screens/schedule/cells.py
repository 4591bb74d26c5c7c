"""A row of the ledger, and a sentinel that speaks, as rows and in lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.ages import age, due_in
from console.render.look import Look
from console.render.spans import clock_time
from console.widgets.line import safe_text
from console.widgets.table import Column

if TYPE_CHECKING:
    from shared.models import Fire, Job, Run, Sentinel

FIRE_COLUMNS = (
    Column("outcome", "Outcome", 11),
    Column("due", "Due", 11),
    Column("job", "Job", 15, flex=3),
    Column("why", "Why", 18, flex=3),
    Column("count", "Times", 6, align="right", priority=1),
    Column("decided", "Decided", 10, priority=2, align="right"),
)
SENTINEL_COLUMNS = (
    Column("kind", "Is", 11),
    Column("job", "Job", 16, flex=2),
    Column("why", "Why", 20, flex=5),
    Column("since", "Since", 10, align="right"),
    Column("seen", "Seen", 6, priority=1),
)
UPCOMING_COLUMNS = (
    Column("in", "In", 12, align="right"),
    Column("at", "At", 11),
    Column("job", "Job", 16, flex=2),
    Column("schedule", "Schedule", 16, flex=2),
)
_MARKS = {
    "started": ("✓", "+", "good"), "skipped": ("⊘", "-", "warning"), "coalesced": ("↻", "=", "muted"),
    "missed": ("✗", "!", "bad"), "paused": ("‖", "=", "muted"), "held": ("!", "!", "warning"),
}  # fmt: skip
"""Glyph, the same in ASCII, and tone; the word stands beside it."""


def outcome_mark(fire: Fire, look: Look) -> Text:
    unicode_sign, plain_sign, tone = _MARKS.get(str(fire.outcome), ("?", "?", "muted"))
    sign = unicode_sign if look.glyphs.bar_parts else plain_sign
    return Text(f"{sign} {fire.outcome}", getattr(look.palette, tone))


def fire_cells(fire: Fire, job_name: str, now: datetime, look: Look) -> Sequence[Text]:
    muted = look.palette.muted
    return (
        outcome_mark(fire, look),
        Text(clock_time(fire.fire_at, now)),
        safe_text(job_name),
        safe_text(reason(fire), muted),
        Text(f"{fire.count:,}" if fire.count > 1 else "", muted),
        Text(age(fire.decided_at, now), muted),
    )


def describe_fire(fire: Fire, job_name: str, run: Run | None, now: datetime, look: Look) -> list[Text]:
    """`run` is its run, where that is known."""
    until = f" to {clock_time(fire.until, now)}" if fire.until else ""
    stands = f"; the fire of {clock_time(fire.stands_in_fire_at, now)} stands for it" if fire.stands_in_fire_at else ""
    by = f" by {fire.decided_by}" if fire.decided_by else ""
    about = f"due {clock_time(fire.fire_at, now)}{until} UTC, decided {clock_time(fire.decided_at, now)}{by}{stands}"
    ran = f" · run {f'#{run.number}, {run.state}' if run else fire.run_id}" if fire.run_id else ""
    return [safe_text(f"{job_name}: {fire.outcome}, {reason(fire)}"), safe_text(f"{about}{ran}", look.palette.muted)]


def reason(fire: Fire) -> str:
    return str(fire.reason).replace("_", " ")


def upcoming_cells(job: Job, now: datetime, look: Look) -> Sequence[Text]:
    at = job.next_run_at
    return (
        Text(due_in(at, now).removeprefix("in ") if at else ""),
        Text(clock_time(at, now) if at else ""),
        safe_text(job.name),
        safe_text(job.schedule_text, look.palette.muted),
    )


def describe_upcoming(job: Job, now: datetime, look: Look) -> list[Text]:
    at = f"{clock_time(job.next_run_at, now)} UTC" if job.next_run_at else "never"
    return [safe_text(f"{job.name} fires next at {at}"), safe_text(job.schedule_text, look.palette.muted)]


def sentinel_cells(told: Sentinel, now: datetime, look: Look) -> Sequence[Text]:
    palette = look.palette
    return (
        Text(f"! {kind_of(told)}", palette.muted if told.acknowledged_at else palette.warning),
        safe_text(told.job_name),
        safe_text(told.why),
        Text(age(told.since, now), palette.muted),
        Text("seen" if told.acknowledged_at else "", palette.muted),
    )


def describe_sentinel(told: Sentinel, now: datetime, look: Look) -> list[Text]:
    seen = (
        f"seen by {told.acknowledged_by}, {age(told.acknowledged_at, now)}" if told.acknowledged_at else "not seen yet"
    )
    since = f"since {clock_time(told.since, now)} · noticed {clock_time(told.opened_at, now)} · {seen}"
    return [safe_text(told.why), safe_text(since, look.palette.muted)]


def kind_of(told: Sentinel) -> str:
    return told.kind.replace("_", " ")
