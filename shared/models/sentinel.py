"""A sentinel that speaks: a job behaves unlike itself, judged from its own history."""

from __future__ import annotations

from typing import Literal

from shared.models.base import Instant, Resource

SentinelKind = Literal["overdue", "too_slow", "too_fast", "flapping"]
"""What a sentinel looks for: nothing has come, a run takes or took too long, was over too soon, or success and
failure alternate."""


class Sentinel(Resource):
    """Open until the job is as usual again; then `closed_at` and `closed_because` say so. `number` is the key of pages."""

    id: str
    number: int
    job_id: str
    job_name: str
    kind: SentinelKind
    since: Instant
    """When it became unlike itself; `opened_at` is when the agent noticed."""
    opened_at: Instant
    run_id: str | None = None
    """The run that shows it."""
    why: str
    figures: dict[str, float] = {}
    """What `why` rests on. `observed`, `usual` and `limit` in seconds (of flapping: changes between success and
    failure), `runs`: how many were seen."""
    acknowledged_at: Instant | None = None
    acknowledged_by: str | None = None
    closed_at: Instant | None = None
    closed_because: str | None = None
