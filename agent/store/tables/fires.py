"""The ledger of fires."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Moment, Number

fires = table(
    "fires",
    Column("id", Number, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("job_number", Number, ForeignKey("jobs.number"), nullable=False),
    Column("fire_at", Moment, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", Text),
    Column("stands_in_fire_at", Moment),
    Column("count", Integer, nullable=False),
    Column("until", Moment),
    Column("decided_at", Moment, nullable=False),
    Column("decided_by", Text),
    sa.UniqueConstraint("job_number", "fire_at"),
)
Index("ix_fires_account", fires.c.account_id, fires.c.id)
Index("ix_fires_job", fires.c.job_number, fires.c.id)
STILL_HELD = fires.c.outcome == sa.literal_column("'held'")
"""Missed and not decided yet; the word stands in the text, see the partial indexes of runs."""
Index("ix_fires_held", fires.c.reason, fires.c.job_number, fires.c.fire_at, sqlite_where=STILL_HELD, postgresql_where=STILL_HELD)  # fmt: skip
