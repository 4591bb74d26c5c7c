"""Runs, and everything that belongs to one."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Text

from agent.store.tables.base import is_one_of, table
from agent.store.types import Json, Moment, Number, Spoken
from shared.states import FINAL, RunState

runs = table(
    "runs",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("job_number", Number, ForeignKey("jobs.number"), nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("fire_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("available_at", Moment, nullable=False),
    Column("chained", Boolean, nullable=False),
    Column("started_at", Moment),
    Column("claimed_at", Moment),
    Column("finished_at", Moment),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("agent_id", Text),
    Column("worker_id", Text),
    Column("lease_until", Moment),
    Column("cancel_requested_at", Moment),
    Column("cancel_due_at", Moment),
    Column("cancel_deadline_at", Moment),
    Column("cancel_by", Text),
    Column("priority", Integer, nullable=False),
    Column("concurrency_key", Text),
    Column("concurrency_limit", Integer, nullable=False),
    Column("original_run_id", Text),
    Column("version", Integer, nullable=False),
    Column("done", sa.BigInteger, nullable=False),
    Column("total", sa.BigInteger),
    Column("unit", Spoken, nullable=False),
    Column("note", Spoken, nullable=False),
    Column("warnings", Json, nullable=False),
    Column("error_kind", Spoken),
    Column("error_message", Spoken),
    Column("error_transient", Boolean),
    Column("error_fingerprint", Text),
    Column("result", Json),
    sa.CheckConstraint(is_one_of(RunState), name="state"),
    sa.CheckConstraint(f"(finished_at IS NOT NULL) = {is_one_of(FINAL)}", name="finished"),
    sa.CheckConstraint("state <> 'running' OR lease_until IS NOT NULL", name="lease"),
    # what is pending may be leased to the worker that it is promised to
    sa.CheckConstraint(
        "lease_until IS NULL OR (state IN ('pending', 'running') AND worker_id IS NOT NULL)", name="leased"
    ),
    sa.CheckConstraint("(error_kind IS NULL) = (error_message IS NULL)", name="error"),
    sa.CheckConstraint(
        "cancel_due_at IS NULL OR (cancel_requested_at IS NOT NULL AND finished_at IS NULL AND lease_until IS NULL)",
        name="cancel_due",
    ),
)

# Partial indexes over the few runs that are not over, each under a condition on one column that its queries repeat:
# SQLite uses one only where it can read the condition in the query's text, which bound parameters hide from it.
ACTIVE = runs.c.finished_at.is_(None)
HELD = runs.c.lease_until.is_not(None)
"""Leased: running, or pending and promised to a worker that is busy yet."""
WAITING = sa.and_(ACTIVE, runs.c.lease_until.is_(None))
"""Pending or retrying, and promised to nobody."""
LEAVING = runs.c.cancel_due_at.is_not(None)
"""Pending or retrying, with a cancel that can still be withdrawn."""

Index("ix_runs_active", runs.c.job_number, runs.c.number, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
Index("ix_runs_held", runs.c.lease_until, sqlite_where=HELD, postgresql_where=HELD)
Index("ix_runs_claim", runs.c.priority.desc(), runs.c.number, runs.c.available_at, sqlite_where=WAITING, postgresql_where=WAITING)  # fmt: skip
Index("ix_runs_available", runs.c.available_at, sqlite_where=WAITING, postgresql_where=WAITING)
Index("ix_runs_leaving", runs.c.cancel_due_at, sqlite_where=LEAVING, postgresql_where=LEAVING)
# What stands behind the number is read without the row: `state:failed type:x` is the question after every night, and
# whether a run is one of the caller's jobs the question of all but administrators.
Index("ix_runs_account", runs.c.account_id, runs.c.number, runs.c.job_number)
Index("ix_runs_state", runs.c.account_id, runs.c.state, runs.c.number, runs.c.type, runs.c.job_number)
Index("ix_runs_job", runs.c.job_number, runs.c.number, runs.c.state)

# How many runs have ended how, kept by triggers (`counts.py`); of millions nobody waits for a count.
run_counts = table(
    "run_counts",
    Column("account_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("count", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Runs that are deleted, while their logs may still be there: written with the deletion, struck off when the files are gone.
gone_runs = table("gone_runs", Column("run_id", Text, primary_key=True))

checkpoints = table(
    "checkpoints",
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("data", Json, nullable=False),
)

attempts = table(
    "attempts",
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("worker_id", Text, nullable=False),
    Column("claimed_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", Text),
    Column("error", Json),
    sqlite_with_rowid=False,
)

late_results = table(
    "late_results",
    Column("number", Number, primary_key=True),
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("ended_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("result", Json),
    Column("error", Json),
)

steps = table(
    "steps",
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("key", Spoken, nullable=False),
    Column("title", Spoken, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("message", Spoken, nullable=False),
    Column("result", Json),
)
