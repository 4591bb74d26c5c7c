"""What jobs work with."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Moment, Number

connections = table(
    "connections",
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret_name", Text),
    Column("account_id", Text, nullable=False),
    Column("owner_id", Text),
    Column("visibility", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
)

knowledge_bases = table(
    "knowledge_bases",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("owner_id", Text),
    Column("visibility", Text, nullable=False),
    Column("embedder", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
)
