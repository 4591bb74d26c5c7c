"""Which job works with what, in which revision; written when it is published."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from agent.core.driving import Needs
from agent.store.tables import connections, job_uses, jobs, knowledge_bases

KNOWLEDGE_BASE = "knowledge_base"
CONNECTION = "connection"


def write(connection: sa.Connection, account_id: str, job_number: int, revision: int, needs: Needs) -> None:
    common = {"account_id": account_id, "job_number": job_number, "revision": revision}
    rows = [
        {**common, "kind": kind, "name": name}
        for kind, table, keys in (
            (KNOWLEDGE_BASE, knowledge_bases, needs.knowledge_bases),
            (CONNECTION, connections, needs.connections),
        )
        for name in _names(connection, table, account_id, keys)
    ]
    if rows:
        connection.execute(sa.insert(job_uses), rows)


def a_user(connection: sa.Connection, account_id: str, kind: str, name: str) -> str | None:
    """The name of a job that works with it as it is now."""
    query = sa.select(jobs.c.name).join(
        job_uses, sa.and_(job_uses.c.job_number == jobs.c.number, job_uses.c.revision == jobs.c.revision)
    )
    mine = (job_uses.c.account_id == account_id, job_uses.c.kind == kind, job_uses.c.name == name)
    found: str | None = connection.scalar(query.where(*mine, jobs.c.deleted_at.is_(None)).limit(1))
    return found


def _names(connection: sa.Connection, table: sa.Table, account_id: str, keys: Iterable[str]) -> list[str]:
    """Each once. Definitions may name things by id as well; what is gone keeps the key that it was named by."""
    found = set()
    for key in keys:
        named = sa.select(table.c.name).where(table.c.account_id == account_id, table.c.id == key)
        found.add(connection.scalar(named) or key)
    return sorted(found)
