"""Which job works with what, in which revision; written when it is published."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from agent.core.driving import Needs
from agent.core.ports.world import Used
from agent.store.permissions.visibility import job_seen_by
from agent.store.tables import connections, job_uses, jobs, knowledge_bases
from shared.models import JobName, JobUsers

KNOWLEDGE_BASE: Used = "knowledge_base"
CONNECTION: Used = "connection"


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


def a_user(connection: sa.Connection, account_id: str, kind: Used, name: str) -> str | None:
    """The name of a job that works with it as it is now."""
    found: str | None = connection.scalar(_users(account_id, kind, name, jobs.c.name).limit(1))
    return found


def users(connection: sa.Connection, account_id: str, kind: Used, name: str, seen_by: str | None) -> JobUsers:
    """The jobs that work with it as they are now: those that may be seen, by name, and how many there are besides."""
    query = _users(account_id, kind, name, *(jobs.c[column] for column in JobName.model_fields))
    seen = connection.execute(query.where(*job_seen_by(seen_by)).order_by(jobs.c.name_key, jobs.c.number))
    items = [JobName.model_validate(row) for row in seen.mappings()]
    all_of_them = connection.scalar(_users(account_id, kind, name, sa.func.count())) or 0
    return JobUsers(items=items, others=all_of_them - len(items))


def _users(account_id: str, kind: Used, name: str, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    as_it_is = sa.and_(job_uses.c.job_number == jobs.c.number, job_uses.c.revision == jobs.c.revision)
    mine = (job_uses.c.account_id == account_id, job_uses.c.kind == kind, job_uses.c.name == name)
    return sa.select(*columns).select_from(jobs.join(job_uses, as_it_is)).where(*mine, jobs.c.deleted_at.is_(None))


def _names(connection: sa.Connection, table: sa.Table, account_id: str, keys: Iterable[str]) -> list[str]:
    """Each once. Definitions may name things by id as well; what is gone keeps the key that it was named by."""
    found = set()
    for key in keys:
        named = sa.select(table.c.name).where(table.c.account_id == account_id, table.c.id == key)
        found.add(connection.scalar(named) or key)
    return sorted(found)
