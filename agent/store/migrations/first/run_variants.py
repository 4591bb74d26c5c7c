"""What single runs do otherwise than their revision says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER


def create() -> None:
    op.create_table(
        "run_variants",
        sa.Column("run_number", NUMBER, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_number"], ["runs.number"], name=op.f("fk_run_variants_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_number", name=op.f("pk_run_variants")),
        sqlite_autoincrement=False,
    )
