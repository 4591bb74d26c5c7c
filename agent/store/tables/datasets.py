"""Datasets. Their snapshots are files; what the store has of them is what the last look found."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Json, Moment

datasets = table(
    "datasets",
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("owner_id", Text),
    Column("visibility", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("connection", Text),
    Column("query", Text),
    Column("parameters", Json, nullable=False),
    Column("keep", Json, nullable=False),
    Column("snapshot", Json),
    Column("snapshots", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("account_id", "name"),
)
