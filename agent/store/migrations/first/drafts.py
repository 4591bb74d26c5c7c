"""Drafts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER


def create() -> None:
    op.create_table(
        "drafts",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=True),
        sa.Column("based_on", sa.Integer(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(job_number IS NULL) = (based_on IS NULL)", name=op.f("ck_drafts_base")),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_drafts_job_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_drafts")),
        sa.UniqueConstraint("id", name=op.f("uq_drafts_id")),
        sa.UniqueConstraint("job_number", "owner_id", name=op.f("uq_drafts_job_number_owner_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drafts_owner", "drafts", ["account_id", "owner_id"], unique=False)
