"""Who sees which jobs, and how many runs these have had: kept by triggers (`sight.py`, `counts.py`)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Text

from agent.store.tables.base import table
from agent.store.types import Number

job_readers = table(
    "job_readers",
    Column("account_id", Text, primary_key=True),
    Column("principal_id", Text, primary_key=True),  # the owner, and whom it is shared with: a user's id, or `everyone`
    Column("job_number", Number, primary_key=True),
    sqlite_with_rowid=False,
)

# As `run_counts`, by job: of those that are over.
job_counts = table(
    "job_counts",
    Column("job_number", Number, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("count", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
