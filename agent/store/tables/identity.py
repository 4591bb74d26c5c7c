"""Who asks, and what they may use: accounts, users, their memberships, tokens, sessions; secrets."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Text

from agent.store.tables.base import table
from agent.store.types import Json, Moment, Number

accounts = table(
    "accounts",
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    Column("limits", Json),
)

users = table(
    "users",
    Column("id", Text, primary_key=True),
    Column("handle", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("issuer", Text),
    Column("subject", Text),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    Column("last_login_at", Moment),
    sa.UniqueConstraint("issuer", "subject"),
    sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="link"),
)

members = table(
    "members",
    Column("number", Number, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("code", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    sa.UniqueConstraint("account_id", "user_id"),
    sa.CheckConstraint("role IN ('member', 'admin')", name="role"),
)
Index("ix_members_user", members.c.user_id)

tokens = table(
    "tokens",
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)
Index("ix_tokens_account", tokens.c.account_id, tokens.c.user_id)

sessions = table(
    "sessions",
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("address", Text),
    Column("client", Text),
)
Index("ix_sessions_user", sessions.c.user_id)

secrets = table(
    "secrets",
    Column("account_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("owner_id", Text),
    Column("visibility", Text, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
