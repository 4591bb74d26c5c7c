"""Jobdeck's own tables. `migrations/` makes them; a test holds the two together.

Jobs, runs and fires have a `number` that the engine counts up: joins, pages and full-text rows go by it, and indexes
of millions of rows stay small. The `id` is what the world sees.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, Text

from agent.store.types import Json, Moment, Number, Spoken
from shared.states import FINAL, RunState

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _words(states: Iterable[RunState]) -> str:
    return ", ".join(f"'{state}'" for state in RunState if state in states)


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    # AUTOINCREMENT: SQLite would hand out the highest number again after its row was deleted; pages and events would lie.
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=any(_counts(part) for part in parts))


def _counts(part: sa.schema.SchemaItem) -> bool:
    return isinstance(part, Column) and part.primary_key and part.name in {"number", "id"} and part.type is Number


meta = _table("meta", Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

# -- who ---------------------------------------------------------------------------------------------------------------

accounts = _table(
    "accounts",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

users = _table(
    "users",
    Column("id", Text, primary_key=True),
    Column("handle", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

members = _table(
    "members",
    Column("number", Number, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    sa.UniqueConstraint("account_id", "user_id"),
)

tokens = _table(
    "tokens",
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

secrets = _table(
    "secrets",
    Column("account_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

# -- what jobs work with -----------------------------------------------------------------------------------------------

connections = _table(
    "connections",
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret_name", Text),
    Column("account_id", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
)

knowledge_bases = _table(
    "knowledge_bases",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("embedder", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
)

# -- jobs --------------------------------------------------------------------------------------------------------------

jobs = _table(
    "jobs",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("made_through", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # in lower case: what lists are sorted by
    Column("slug", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("interval_type", Text, nullable=False),
    Column("interval", Text),
    Column("enabled", Boolean, nullable=False),
    Column("definition", Json, nullable=False),
    Column("schedule_text", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("next_fire_at", Moment),
    Column("high_water", Moment, nullable=False),
    Column("window_end", Moment),
    Column("zone_data_version", Text, nullable=False),
    Column("paused_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    # What the scheduler looks for, derived by the engine itself so that it cannot disagree with its parts.
    Column(
        "due_at",
        Moment,
        sa.Computed(
            "CASE WHEN enabled AND paused_at IS NULL AND deleted_at IS NULL THEN next_fire_at END", persisted=True
        ),
    ),
)
_not_deleted = jobs.c.deleted_at.is_(None)
for _unique in ("name", "slug"):
    Index(
        f"uq_jobs_account_id_{_unique}", jobs.c.account_id, jobs.c[_unique], unique=True,
        sqlite_where=_not_deleted, postgresql_where=_not_deleted,
    )  # fmt: skip
Index("ix_jobs_name", jobs.c.account_id, jobs.c.name_key, sqlite_where=_not_deleted, postgresql_where=_not_deleted)
Index("ix_jobs_due", jobs.c.due_at)
_has_next = jobs.c.next_fire_at.is_not(None)
Index("ix_jobs_zone", jobs.c.zone_data_version, sqlite_where=_has_next, postgresql_where=_has_next)

job_revisions = _table(
    "job_revisions",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("definition", Json, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

job_tags = _table(
    "job_tags",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("tag", Text, primary_key=True),
)

job_statistics = _table(
    "job_statistics",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("durations", Json, nullable=False),
    # Seconds of the last completed runs, oldest first, at most 100: outlives the runs.
    Column("median", Float, nullable=False),
    Column("p90", Float, nullable=False),
)

fires = _table(
    "fires",
    Column("id", Number, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("job_number", Number, ForeignKey("jobs.number"), nullable=False),
    Column("fire_at", Moment, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", Text),
    Column("stands_in_fire_at", Moment),
    Column("count", Integer, nullable=False),
    Column("until", Moment),
    Column("decided_at", Moment, nullable=False),
    Column("decided_by", Text),
    sa.UniqueConstraint("job_number", "fire_at"),
)
Index("ix_fires_account", fires.c.account_id, fires.c.id)
Index("ix_fires_job", fires.c.job_number, fires.c.id)
STILL_HELD = fires.c.outcome == sa.literal_column("'held'")
"""Missed and not decided yet; the word stands in the text, see the partial indexes of runs."""
Index("ix_fires_held", fires.c.reason, fires.c.job_number, fires.c.fire_at, sqlite_where=STILL_HELD, postgresql_where=STILL_HELD)  # fmt: skip

# -- runs --------------------------------------------------------------------------------------------------------------

runs = _table(
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
    sa.CheckConstraint(f"state IN ({_words(RunState)})", name="state"),
    sa.CheckConstraint(f"(finished_at IS NOT NULL) = (state IN ({_words(FINAL)}))", name="finished"),
    sa.CheckConstraint("(lease_until IS NOT NULL) = (state = 'running')", name="lease"),
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
"""Running: leased by a worker."""
WAITING = sa.and_(ACTIVE, runs.c.lease_until.is_(None))
"""Pending or retrying."""
LEAVING = runs.c.cancel_due_at.is_not(None)
"""Pending or retrying, with a cancel that can still be withdrawn."""

Index("ix_runs_active", runs.c.job_number, runs.c.number, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
Index("ix_runs_held", runs.c.lease_until, sqlite_where=HELD, postgresql_where=HELD)
Index("ix_runs_claim", runs.c.priority.desc(), runs.c.number, runs.c.available_at, sqlite_where=WAITING, postgresql_where=WAITING)  # fmt: skip
Index("ix_runs_available", runs.c.available_at, sqlite_where=WAITING, postgresql_where=WAITING)
Index("ix_runs_leaving", runs.c.cancel_due_at, sqlite_where=LEAVING, postgresql_where=LEAVING)
Index("ix_runs_account", runs.c.account_id, runs.c.number)
# The type stands last, to be read without the row: `state:failed type:x` is the question after every night.
Index("ix_runs_state", runs.c.account_id, runs.c.state, runs.c.number, runs.c.type)
Index("ix_runs_job", runs.c.job_number, runs.c.number, runs.c.state)

# How many runs have ended how, kept by triggers (`counts.py`); of millions nobody waits for a count.
run_counts = _table(
    "run_counts",
    Column("account_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("count", sa.BigInteger, nullable=False),
)

# Runs that are deleted, while their logs may still be there: written with the deletion, struck off when the files are gone.
gone_runs = _table("gone_runs", Column("run_id", Text, primary_key=True))

checkpoints = _table(
    "checkpoints",
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("data", Json, nullable=False),
)

attempts = _table(
    "attempts",
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("worker_id", Text, nullable=False),
    Column("claimed_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", Text),
    Column("error", Json),
)

late_results = _table(
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

steps = _table(
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

# -- what is unlike itself ---------------------------------------------------------------------------------------------

watches = _table(
    "watches",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("work", Text, nullable=False),
    Column("work_since", Integer, nullable=False),
    Column("rhythm", Text, nullable=False),
    Column("last_end", Moment),
    Column("expected_at", Moment),
    Column("overdue_at", Moment),
    Column("slow_after", Float),
    Column("history", Json, nullable=False),
)
AWAITED = watches.c.overdue_at.is_not(None)
Index("ix_watches_overdue", watches.c.overdue_at, sqlite_where=AWAITED, postgresql_where=AWAITED)

sentinels = _table(
    "sentinels",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("job_number", Number, ForeignKey("jobs.number"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("run_id", Text),
    Column("why", Text, nullable=False),
    Column("figures", Json, nullable=False),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Text),
    Column("closed_at", Moment),
    Column("closed_because", Text),
)
OPEN = sentinels.c.closed_at.is_(None)
CLOSED = sentinels.c.closed_at.is_not(None)
Index("uq_sentinels_open", sentinels.c.job_number, sentinels.c.kind, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)  # fmt: skip
# SQLite, which knows nothing of how many are closed, would not choose a partial index for those that are open.
Index("ix_sentinels_open", sentinels.c.account_id, sentinels.c.closed_at, sentinels.c.number)
Index("ix_sentinels_account", sentinels.c.account_id, sentinels.c.number)
Index("ix_sentinels_job", sentinels.c.job_number, sentinels.c.number)
Index("ix_sentinels_closed", sentinels.c.closed_at, sqlite_where=CLOSED, postgresql_where=CLOSED)

# -- what happens ------------------------------------------------------------------------------------------------------

workers = _table(
    "workers",
    Column("id", Text, primary_key=True),
    Column("agent_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Text),
    Column("job_name", Text),
    Column("started_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("runs_done", Integer, nullable=False),
)

events = _table(
    "events",
    Column("id", Number, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("data", Json, nullable=False),
)
