"""What jobs work with, by name: so that it can be asked from the other side."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Number

job_uses = table(
    "job_uses",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
)
Index("ix_job_uses_name", job_uses.c.account_id, job_uses.c.kind, job_uses.c.name, job_uses.c.job_number)
