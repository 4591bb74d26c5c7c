"""What single runs do otherwise than their revision says."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Text

from agent.store.tables.base import table
from agent.store.tables.runs import runs
from agent.store.types import Json, Number

run_variants = table(
    "run_variants",
    Column("run_number", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("changes", Json, nullable=False),
)
VARIED = sa.exists().where(run_variants.c.run_number == runs.c.number).correlate(runs)
"""Of a row of `runs`: it does otherwise, and says nothing of how long its job usually takes."""
