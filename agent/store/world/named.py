"""What has a name in its account: found by id or name, and no two with the same."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from agent.store.engine.prepared import Prepared, Row
from shared.errors import Conflict, NotFound


def check_free(
    connection: sa.Connection, table: sa.Table, word: str, account_id: str, name: str, own_id: str | None = None
) -> None:
    """Conflict, in which `word` says what the table has, if another than `own_id` has the name."""
    query = sa.select(table.c.id).where(table.c.account_id == account_id, table.c.name == name)
    if connection.scalar(query) not in {None, own_id}:
        raise Conflict(f"there is already a {word} with the name {name!r}", field="name")


def find(connection: sa.Connection, table: sa.Table, word: str, account_id: str, key: str) -> Row:
    """By id, else by name. NotFound."""
    rows = _finding(table).rows(connection, {"account": account_id, "key": key})
    if not rows:
        raise NotFound(f"there is no {word} {key!r}")
    return rows[0]


@cache
def _finding(table: sa.Table) -> Prepared:
    """Made once: every search needs one."""
    account, key = sa.bindparam("account", type_=sa.Text), sa.bindparam("key", type_=sa.Text)
    mine = sa.and_(table.c.account_id == account, sa.or_(table.c.id == key, table.c.name == key))
    return Prepared(sa.select(table).where(mine).order_by((table.c.id == key).desc()).limit(1))
