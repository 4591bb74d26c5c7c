"""The first schema."""

from __future__ import annotations

from alembic import op

from agent.store.migrations.first import (
    audit,
    datasets,
    drafts,
    fires,
    happenings,
    identity,
    jobs,
    resources,
    run_variants,
    runs,
    sentinels,
    shares,
    sight,
    sqlite,
    uses,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    parts = (identity, resources, datasets, jobs, drafts, fires, runs, sentinels, happenings, shares, audit, uses)
    for part in (*parts, run_variants, sight):
        part.create()
    if op.get_bind().dialect.name == "sqlite":
        sqlite.create()
