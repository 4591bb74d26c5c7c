"""Who did what, and who was refused."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Moment, Number, Spoken

audit = table(
    "audit",
    Column("number", Number, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("token_id", Text),
    Column("address", Text),
    Column("client", Spoken),
    Column("act", Text, nullable=False),
    Column("event", Text),
    Column("subject_id", Spoken, nullable=False),
    Column("subject_name", Spoken),
    Column("revision", Integer),
    Column("outcome", Text, nullable=False),
    Column("reason", Spoken),
    Column("count", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
)
Index("ix_audit_account", audit.c.account_id, audit.c.number)
Index("ix_audit_user", audit.c.account_id, audit.c.user_id, audit.c.number)
Index("ix_audit_subject", audit.c.account_id, audit.c.subject_id, audit.c.number)
Index("ix_audit_outcome", audit.c.outcome, audit.c.number)
Index("ix_audit_at", audit.c.at)
