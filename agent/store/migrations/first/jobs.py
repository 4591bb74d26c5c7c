"""Jobs and their revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER, partial_index


def create() -> None:
    _jobs()
    _indexes_of_jobs()
    _revisions()
    _statistics()
    _tags()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("made_through", sa.Text(), nullable=False),
        sa.Column("defined_in", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("interval_type", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("schedule_text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_fire_at", sa.BigInteger(), nullable=True),
        sa.Column("high_water", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=True),
        sa.Column("zone_data_version", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "due_at",
            sa.BigInteger(),
            sa.Computed(
                "CASE WHEN enabled AND paused_at IS NULL AND deleted_at IS NULL THEN next_fire_at END", persisted=True
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_id")),
        sqlite_autoincrement=True,
    )


def _indexes_of_jobs() -> None:
    op.create_index("ix_jobs_owner", "jobs", ["owner_id", "account_id"])
    op.create_index("ix_jobs_due", "jobs", ["due_at", "account_id"], unique=False)
    for column in ("name_key", "type", "created_at", "updated_at", "enabled"):
        partial_index(f"ix_jobs_{column}", "jobs", ["account_id", column], "deleted_at IS NULL")
    partial_index("ix_jobs_zone", "jobs", ["zone_data_version"], "next_fire_at IS NOT NULL")
    for column in ("name", "slug"):
        partial_index(f"uq_jobs_account_id_{column}", "jobs", ["account_id", column], "deleted_at IS NULL", unique=True)


def _revisions() -> None:
    op.create_table(
        "job_revisions",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("restored_from", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_revisions_job_number")),
        sa.PrimaryKeyConstraint("job_number", "revision", name=op.f("pk_job_revisions")),
        sqlite_autoincrement=False,
    )


def _statistics() -> None:
    op.create_table(
        "job_statistics",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("durations", sa.Text(), nullable=False),
        sa.Column("median", sa.Float(), nullable=False),
        sa.Column("p90", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_statistics_job_number")),
        sa.PrimaryKeyConstraint("job_number", name=op.f("pk_job_statistics")),
        sqlite_autoincrement=False,
    )


def _tags() -> None:
    op.create_table(
        "job_tags",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_tags_job_number")),
        sa.PrimaryKeyConstraint("job_number", "tag", name=op.f("pk_job_tags")),
        sqlite_autoincrement=False,
    )
