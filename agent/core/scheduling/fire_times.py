"""When a schedule would fire, and what the nights on which the clock is set do to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.models.base import Instant, Resource
from shared.schedule import FireNote, ScheduleSpec, compile_schedule, notes, preview, with_anchor


class FireTimes(Resource):
    fire_times: list[Instant]
    notes: list[dict[str, Any]] = []
    warnings: list[str] = []
    schedule_text: str = ""


def fire_times(spec: ScheduleSpec, now: datetime, after: datetime | None, count: int) -> FireTimes:
    """The first `count` after `after` (None: as `preview` has it). InvalidInput for a schedule that cannot be read."""
    anchored = with_anchor(spec, now)
    schedule = compile_schedule(anchored)
    found = notes(anchored, after or now, count)
    return FireTimes(
        fire_times=preview(anchored, now, after, count),
        notes=[_note(note) for note in found],
        warnings=sorted({note.warning for note in found if note.warning}),
        schedule_text=schedule.describe(),
    )


def _note(note: FireNote) -> dict[str, Any]:
    """`at` is the moment the clock is set; the fires from `fireAt` to `fireUntil` carry the mark."""
    return {
        "at": _zulu(note.shift_at),
        "mark": note.mark.value,
        "count": note.count,
        "fireAt": _zulu(note.fire_at),
        "fireUntil": _zulu(note.fire_until),
        "warning": note.warning,
    }


def _zulu(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
