"""Jobs and their revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER


def create() -> None:
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
    op.create_index("ix_jobs_due", "jobs", ["due_at"], unique=False)
    op.create_index(
        "ix_jobs_name",
        "jobs",
        ["account_id", "name_key"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_jobs_zone",
        "jobs",
        ["zone_data_version"],
        unique=False,
        sqlite_where=sa.text("next_fire_at IS NOT NULL"),
        postgresql_where=sa.text("next_fire_at IS NOT NULL"),
    )
    op.create_index(
        "uq_jobs_account_id_name",
        "jobs",
        ["account_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_jobs_account_id_slug",
        "jobs",
        ["account_id", "slug"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
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
    op.create_table(
        "job_tags",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_tags_job_number")),
        sa.PrimaryKeyConstraint("job_number", "tag", name=op.f("pk_job_tags")),
        sqlite_autoincrement=False,
    )
