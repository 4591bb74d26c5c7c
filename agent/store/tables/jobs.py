"""Jobs, their revisions, and what is known of their runs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Definition, Json, Moment, Number

jobs = table(
    "jobs",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("made_through", Text, nullable=False),
    Column("defined_in", Text),  # the file of the definitions folder that says what it is
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # in lower case: what lists are sorted by
    Column("slug", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("interval_type", Text, nullable=False),
    Column("interval", Text),
    Column("enabled", Boolean, nullable=False),
    Column("definition", Definition, nullable=False),
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
# What lists are sorted by; that by the next fire goes by `ix_jobs_due`, which every fire has to write.
for _sorted in ("name_key", "type", "created_at", "updated_at", "enabled"):
    Index(
        f"ix_jobs_{_sorted}", jobs.c.account_id, jobs.c[_sorted], sqlite_where=_not_deleted,
        postgresql_where=_not_deleted,
    )  # fmt: skip
Index("ix_jobs_owner", jobs.c.owner_id, jobs.c.account_id)
Index("ix_jobs_due", jobs.c.due_at, jobs.c.account_id)
_has_next = jobs.c.next_fire_at.is_not(None)
Index("ix_jobs_zone", jobs.c.zone_data_version, sqlite_where=_has_next, postgresql_where=_has_next)

job_revisions = table(
    "job_revisions",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("definition", Definition, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("restored_from", Integer),
    Column("created_at", Moment, nullable=False),
)

job_tags = table(
    "job_tags",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("tag", Text, primary_key=True),
)

job_statistics = table(
    "job_statistics",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    # Seconds of the last completed runs, oldest first, at most 100: outlives the runs.
    Column("durations", Json, nullable=False),
    Column("median", Float, nullable=False),
    Column("p90", Float, nullable=False),
)
