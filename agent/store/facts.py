"""Single facts about the store itself, by name."""

from __future__ import annotations

import sqlalchemy as sa

from agent.store.tables import meta


def get(connection: sa.Connection, key: str) -> str | None:
    return connection.scalar(sa.select(meta.c.value).where(meta.c.key == key))


def put(connection: sa.Connection, key: str, value: str) -> None:
    updated = connection.execute(sa.update(meta).where(meta.c.key == key).values(value=value))
    if updated.rowcount == 0:
        connection.execute(sa.insert(meta).values(key=key, value=value))


def put_once(connection: sa.Connection, key: str, value: str) -> str:
    """What stands there, or `value` from now on."""
    found = get(connection, key)
    if found is None:
        put(connection, key, value)
    return found or value
