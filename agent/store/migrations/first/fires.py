"""The ledger of fires."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER


def create() -> None:
    op.create_table(
        "fires",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("fire_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("stands_in_fire_at", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_fires_job_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fires")),
        sa.UniqueConstraint("job_number", "fire_at", name=op.f("uq_fires_job_number_fire_at")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fires_account", "fires", ["account_id", "id"], unique=False)
    op.create_index("ix_fires_job", "fires", ["job_number", "id"], unique=False)
    op.create_index(
        "ix_fires_held",
        "fires",
        ["reason", "job_number", "fire_at"],
        unique=False,
        sqlite_where=sa.text("outcome = 'held'"),
        postgresql_where=sa.text("outcome = 'held'"),
    )
