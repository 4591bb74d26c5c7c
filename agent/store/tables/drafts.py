"""Drafts: what is not published yet."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Json, Moment, Number

drafts = table(
    "drafts",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("job_number", Number, ForeignKey("jobs.number")),
    Column("based_on", Integer),
    Column("definition", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # Both or neither: of a job, and of which revision of it.
    sa.CheckConstraint("(job_number IS NULL) = (based_on IS NULL)", name="base"),
    # One of each user for each job; as many as they like for jobs that do not exist yet.
    sa.UniqueConstraint("job_number", "owner_id"),
)
Index("ix_drafts_owner", drafts.c.account_id, drafts.c.owner_id)
