"""A job as a row of the list, and in lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.ages import due_in, seconds_to_next
from console.render.look import Look
from console.render.safe import to_one_line
from console.render.spans import clock_time
from console.render.states import RECENT, recent_strip
from console.render.values import plain, said
from console.widgets.line import safe_text
from console.widgets.table import Column
from shared.states import RunState

if TYPE_CHECKING:
    from shared.models import Job

COLUMNS = (
    Column("enabled", "E", 3),
    Column("name", "Job", 20, flex=4),
    Column("schedule", "Schedule", 14, flex=3),
    Column("next", "Next", 10, align="right"),
    Column("last", f"Last {RECENT} runs", RECENT),
    Column("type", "Type", 12, flex=1, priority=2),
    Column("owner", "Owner", 8, flex=1, priority=1),
    Column("revision", "Rev", 4, priority=3, align="right"),
)
TIMED = ("next",)
SORTS = (("name", False), ("next", False), ("type", False), ("last", False), ("enabled", True))


def job_cells(job: Job, owner: str, now: datetime, look: Look, *, is_dimmed: bool) -> Sequence[Text]:
    muted = look.palette.muted
    cells = (
        enabled_mark(job, look),
        safe_text(job.name, "" if _fires(job) else muted),
        safe_text(_without_zone(job), muted),
        next_fire(job, now, look),
        recent_strip(job.recent, look),
        safe_text(job.type, muted),
        safe_text(owner, muted),
        Text(str(job.revision), muted),
    )
    for cell in cells if is_dimmed else ():
        cell.stylize("dim")
    return cells


def _without_zone(job: Job) -> str:
    """The zone stands in the detail: it is often longer than the time."""
    if job.unreadable:
        return "cannot be read"
    return (job.schedule_text or "by hand").replace(f" ({job.timezone})", "")


def enabled_mark(job: Job, look: Look) -> Text:
    """Glyph and letter: on, paused, off, unreadable; `!` for one that behaves unlike itself."""
    if job.unreadable:
        return Text(f"{look.glyphs.states[RunState.FAILED]} U", look.palette.bad)
    if job.sentinels:
        return Text("! P" if job.paused_at else "! E", look.palette.warning)
    unicode = bool(look.glyphs.bar_parts)
    if not job.enabled:
        return Text("· -" if unicode else ". -", look.palette.muted)
    if job.paused_at is not None:
        return Text("‖ P" if unicode else "= P", look.palette.warning)
    return Text("● E" if unicode else "* E", look.palette.good)


def next_fire(job: Job, now: datetime, look: Look) -> Text:
    if job.unreadable:
        return Text("never", look.palette.bad)
    if not job.enabled:
        return Text("off", look.palette.muted)
    if job.paused_at is not None:
        return Text("paused", look.palette.warning)
    if job.next_run_at is None:
        return Text("never" if job.interval_type != "none" else "by hand", look.palette.muted)
    return Text(due_in(job.next_run_at, now))


def next_change(job: Job, now: datetime) -> float | None:
    if not _fires(job) or job.unreadable or job.next_run_at is None or job.next_run_at <= now:
        return None
    return seconds_to_next(job.next_run_at, now)


def describe_job(job: Job, owner: str, now: datetime, look: Look, *, wide: bool) -> list[Text]:
    fares = _fares(job, look)
    if job.unreadable and not wide:
        return [
            safe_text(job.unreadable.removeprefix("its definition "), look.palette.bad),
            Text(remedy(job), look.palette.warning),
        ]
    if not wide:
        about = job.description or job.schedule_text or "runs when it is told to"
        facts = f"{job.type} · {job.slug} · rev {job.revision} · {owner}" + (
            f" · {', '.join(job.tags)}" if job.tags else ""
        )
        if job.sentinels:
            about = f"{unlike(job)}: {about}"
        return [safe_text(about), safe_text(facts, look.palette.muted).append("  ").append_text(fares)]
    lines = [safe_text(job.name, "bold"), enabled_mark(job, look).append(_state_word(job)), Text()]
    if job.unreadable:
        lines += [
            safe_text(job.unreadable, look.palette.bad, wraps=True),
            Text(remedy(job), look.palette.warning),
            Text(),
        ]
    if job.sentinels:
        lines += [Text(unlike(job), look.palette.warning), Text()]
    if job.description:
        lines += [safe_text(job.description), Text()]
    lines += [_pair(key, value, look) for key, value in _facts(job, owner, now) if value]
    lines += [Text(), recent_strip(job.recent, look, len(job.recent)), fares]
    if job.data:
        lines += [Text(), *(_pair(key, value, look) for key, value in said(job.data).items())]
    return lines


def unlike(job: Job) -> str:
    """In words: `too slow, flapping`."""
    return ", ".join(kind.replace("_", " ") for kind in job.sentinels)


def remedy(job: Job) -> str:
    """What to do about one whose definition cannot be read."""
    if job.defined_in:
        return to_one_line(f"it never fires: write {job.defined_in} anew or upgrade the agent")
    return "it never fires: publish it anew (jobdeck apply -f FILE) or upgrade the agent"


def _fires(job: Job) -> bool:
    return job.enabled and job.paused_at is None


def _state_word(job: Job) -> str:
    if job.unreadable:
        return " unreadable"
    if not job.enabled:
        return " disabled"
    return " paused" if job.paused_at is not None else " enabled"


def _fares(job: Job, look: Look) -> Text:
    failed = sum(state == RunState.FAILED for state in job.recent)
    if not job.recent:
        return Text("has not run yet", look.palette.muted)
    if len(job.recent) == 1:
        words = "the only one failed" if failed else "the only one did not fail"
    else:
        words = f"{failed or 'none'} of the last {len(job.recent)} failed"
    return Text(words, look.palette.bad if failed else look.palette.muted)


def _facts(job: Job, owner: str, now: datetime) -> list[tuple[str, str]]:
    policies = job.policies
    if job.unreadable:  # what else is said of it would be made up
        return [
            ("type", job.type),
            ("owner", owner),
            ("revision", str(job.revision)),
            ("slug", job.slug),
            ("id", job.id),
        ]
    return [
        ("schedule", job.schedule_text),
        ("next", f"{clock_time(job.next_run_at, now)} UTC, {due_in(job.next_run_at, now)}" if job.next_run_at else ""),
        ("paused", clock_time(job.paused_at, now) if job.paused_at else ""),
        ("type", job.type),
        ("owner", owner),
        ("tags", ", ".join(job.tags)),
        ("overlap", policies.overlap.replace("_", " ")),
        ("catch-up", policies.catch_up.mode),
        ("attempts", str(policies.retry.attempts)),
        ("limit", f"{policies.concurrency.limit} of {policies.concurrency.key}" if policies.concurrency.key else ""),
        ("actions", ", ".join(action.name or action.type for action in job.actions)),
        ("revision", str(job.revision)),
        ("slug", job.slug),
        ("id", job.id),
    ]  # fmt: skip


def _pair(key: str, value: object, look: Look) -> Text:
    return Text(f"{key:<10} ", look.palette.muted).append_text(safe_text(plain(value)))
