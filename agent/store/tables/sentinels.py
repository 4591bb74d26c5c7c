"""What is unlike itself."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Json, Moment, Number

watches = table(
    "watches",
    Column("job_number", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("work", Text, nullable=False),
    Column("work_since", Integer, nullable=False),
    Column("rhythm", Text, nullable=False),
    Column("last_end", Moment),
    Column("expected_at", Moment),
    Column("overdue_at", Moment),
    Column("slow_after", Float),
    Column("history", Json, nullable=False),
)
AWAITED = watches.c.overdue_at.is_not(None)
Index("ix_watches_overdue", watches.c.overdue_at, sqlite_where=AWAITED, postgresql_where=AWAITED)

sentinels = table(
    "sentinels",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("job_number", Number, ForeignKey("jobs.number"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("run_id", Text),
    Column("why", Text, nullable=False),
    Column("figures", Json, nullable=False),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Text),
    Column("closed_at", Moment),
    Column("closed_because", Text),
)
OPEN = sentinels.c.closed_at.is_(None)
CLOSED = sentinels.c.closed_at.is_not(None)
Index("uq_sentinels_open", sentinels.c.job_number, sentinels.c.kind, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)  # fmt: skip
# SQLite, which knows nothing of how many are closed, would not choose a partial index for those that are open.
Index("ix_sentinels_open", sentinels.c.account_id, sentinels.c.closed_at, sentinels.c.number)
Index("ix_sentinels_account", sentinels.c.account_id, sentinels.c.number)
Index("ix_sentinels_job", sentinels.c.job_number, sentinels.c.number)
Index("ix_sentinels_closed", sentinels.c.closed_at, sqlite_where=CLOSED, postgresql_where=CLOSED)
