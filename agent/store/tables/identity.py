"""Who asks, and what they may use: accounts, users, tokens, secrets."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, LargeBinary, Text

from agent.store.tables.base import table
from agent.store.types import Json, Moment, Number

accounts = table(
    "accounts",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

users = table(
    "users",
    Column("id", Text, primary_key=True),
    Column("handle", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

members = table(
    "members",
    Column("number", Number, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    sa.UniqueConstraint("account_id", "user_id"),
)

tokens = table(
    "tokens",
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

secrets = table(
    "secrets",
    Column("account_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
