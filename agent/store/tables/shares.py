"""Who else may do what with what."""

from __future__ import annotations

from sqlalchemy import Column, Index, Text

from agent.store.tables.base import table
from agent.store.types import Moment

shares = table(
    "shares",
    Column("account_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("principal_id", Text, primary_key=True),  # a user's id, or `everyone`
    Column("level", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", Moment, nullable=False),
)
Index("ix_shares_principal", shares.c.account_id, shares.c.kind, shares.c.principal_id, shares.c.subject_id)
