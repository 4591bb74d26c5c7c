"""Who sees which jobs, and how many runs these have had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER


def create() -> None:
    op.create_table(
        "job_readers",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("principal_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "principal_id", "job_number", name=op.f("pk_job_readers")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_counts",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_number", "type", "state", name=op.f("pk_job_counts")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
