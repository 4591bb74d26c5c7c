"""What jobs work with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER


def create() -> None:
    op.create_table(
        "job_uses",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_uses_job_number")),
        sa.PrimaryKeyConstraint("job_number", "revision", "kind", "name", name=op.f("pk_job_uses")),
        sqlite_autoincrement=False,
    )
    op.create_index("ix_job_uses_name", "job_uses", ["account_id", "kind", "name", "job_number"])
