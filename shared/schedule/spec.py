"""What a job says about when it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.models.job import Dst, IntervalType


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule as written. `start_on`, `end_on`: ISO 8601, aware, naive (in the job's zone) or a date alone.

    `anchor` (aware) is the origin of simple intervals that have no `start_on`: the job's creation. Without either, such
    an interval is only checked and counts from 1970.
    """

    interval_type: IntervalType
    interval: str | None
    timezone: str = "UTC"
    start_on: str | None = None
    end_on: str | None = None
    dst: Dst = field(default_factory=Dst)
    anchor: datetime | None = None
