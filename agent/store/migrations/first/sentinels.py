"""What is unlike itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER, partial_index


def create() -> None:
    op.create_table(
        "watches",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("work_since", sa.Integer(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("last_end", sa.BigInteger(), nullable=True),
        sa.Column("expected_at", sa.BigInteger(), nullable=True),
        sa.Column("overdue_at", sa.BigInteger(), nullable=True),
        sa.Column("slow_after", sa.Float(), nullable=True),
        sa.Column("history", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_watches_job_number")),
        sa.PrimaryKeyConstraint("job_number", name=op.f("pk_watches")),
        sqlite_autoincrement=False,
    )
    partial_index("ix_watches_overdue", "watches", ["overdue_at"], "overdue_at IS NOT NULL")
    op.create_table(
        "sentinels",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_sentinels_job_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sentinels")),
        sa.UniqueConstraint("id", name=op.f("uq_sentinels_id")),
        sqlite_autoincrement=True,
    )
    is_open, is_closed = "closed_at IS NULL", "closed_at IS NOT NULL"
    partial_index("uq_sentinels_open", "sentinels", ["job_number", "kind"], is_open, unique=True)
    partial_index("ix_sentinels_closed", "sentinels", ["closed_at"], is_closed)
    op.create_index("ix_sentinels_account", "sentinels", ["account_id", "number"], unique=False)
    op.create_index("ix_sentinels_open", "sentinels", ["account_id", "closed_at", "number"], unique=False)
    op.create_index("ix_sentinels_job", "sentinels", ["job_number", "number"], unique=False)
