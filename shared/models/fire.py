"""A fire: one due moment of a schedule, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from shared.models.base import Instant, Resource


class FireOutcome(StrEnum):
    STARTED = "started"
    SKIPPED = "skipped"
    COALESCED = "coalesced"
    MISSED = "missed"
    PAUSED = "paused"
    HELD = "held"


class FireReason(StrEnum):
    """Why; the word stands in the ledger, the sentence is the renderer's."""

    ON_TIME = "on_time"
    CAUGHT_UP = "caught_up"
    QUEUED_BEHIND = "queued_behind"
    REPLACED_RUNNING = "replaced_running"
    OVERLAP_ACTIVE = "overlap_active"
    OVERLAP_QUEUE_FULL = "overlap_queue_full"
    ACCOUNT_QUEUE_FULL = "account_queue_full"
    STANDS_FOR_LATER = "stands_for_later"
    CATCH_UP_NONE = "catch_up_none"
    OUTSIDE_CATCH_UP_WINDOW = "outside_catch_up_window"
    AWAITING_OPERATOR = "awaiting_operator"
    AWAITING_TURN = "awaiting_turn"
    DISCARDED = "discarded"
    WINDOW_CLOSED = "window_closed"
    JOB_PAUSED = "job_paused"
    JOB_DELETED = "job_deleted"


class Fire(Resource):
    """A ledger row. A pause is one row: `fire_at` its first moment, `until` its last, `count` how many."""

    id: int
    job_id: str
    fire_at: Instant
    outcome: FireOutcome
    reason: FireReason
    run_id: str | None = None
    stands_in_fire_at: Instant | None = None
    """For coalesced rows: the fire that stands for this one."""
    count: int = 1
    until: Instant | None = None
    decided_at: Instant
    decided_by: str | None = None
    """The operator who released or discarded it, where it was held."""
