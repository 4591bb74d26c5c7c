"""Which job works with what, in which revision; written when it is published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from agent.core.driving import Needs
from agent.core.ports.world import Used
from agent.store.permissions.visibility import job_seen_by, resource_seen_by
from agent.store.tables import connections, datasets, job_uses, jobs, knowledge_bases
from shared.models import DatasetName, JobName, JobUsers

KNOWLEDGE_BASE: Used = "knowledge_base"
CONNECTION: Used = "connection"


def write(connection: sa.Connection, account_id: str, job_number: int, revision: int, needs: Needs) -> None:
    common = {"account_id": account_id, "job_number": job_number, "revision": revision}
    named: dict[Used, Iterable[str]] = {
        KNOWLEDGE_BASE: _names(connection, knowledge_bases, account_id, needs.knowledge_bases),
        CONNECTION: _names(connection, connections, account_id, needs.connections),
        "secret": needs.secrets,
        "dataset": needs.datasets,
    }
    rows = [{**common, "kind": kind, "name": name} for kind, names in named.items() for name in sorted(set(names))]
    if rows:
        connection.execute(sa.insert(job_uses), rows)


def a_user(connection: sa.Connection, account_id: str, kind: Used, name: str) -> str | None:
    """The name of a job that works with it as it is now."""
    found: str | None = connection.scalar(_users(account_id, kind, [name], jobs.c.name).limit(1))
    return found


def users(connection: sa.Connection, account_id: str, kind: Used, keys: Sequence[str], seen_by: str | None) -> JobUsers:
    """The jobs that work with it as they are now: those that may be seen, by name, and how many there are besides."""
    query = _users(account_id, kind, keys, *(jobs.c[column] for column in JobName.model_fields))
    seen = connection.execute(query.where(*job_seen_by(seen_by)).order_by(jobs.c.name_key, jobs.c.number))
    items = [JobName.model_validate(row) for row in seen.mappings()]
    all_of_them = connection.scalar(_users(account_id, kind, keys, sa.func.count())) or 0
    found = JobUsers(items=items, others=all_of_them - len(items))
    if kind == CONNECTION:
        _add_datasets(connection, found, account_id, keys, seen_by)
    return found


def _add_datasets(
    connection: sa.Connection, found: JobUsers, account_id: str, keys: Sequence[str], seen_by: str | None
) -> None:
    mine = (datasets.c.account_id == account_id, datasets.c.connection.in_(keys))
    query = sa.select(datasets.c.id, datasets.c.name).where(*mine, *resource_seen_by(datasets, "dataset", seen_by))
    found.datasets = [
        DatasetName.model_validate(row) for row in connection.execute(query.order_by(datasets.c.name)).mappings()
    ]
    all_of_them = connection.scalar(sa.select(sa.func.count()).select_from(datasets).where(*mine)) or 0
    found.other_datasets = all_of_them - len(found.datasets)


def _users(account_id: str, kind: Used, keys: Sequence[str], *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Each job once, by however many of the keys it names the thing."""
    as_it_is = sa.and_(job_uses.c.job_number == jobs.c.number, job_uses.c.revision == jobs.c.revision)
    mine = (job_uses.c.account_id == account_id, job_uses.c.kind == kind, job_uses.c.name.in_(keys))
    numbers = sa.select(jobs.c.number).select_from(job_uses.join(jobs, as_it_is)).where(*mine)
    return sa.select(*columns).where(jobs.c.number.in_(numbers), jobs.c.deleted_at.is_(None))


def _names(connection: sa.Connection, table: sa.Table, account_id: str, keys: Iterable[str]) -> set[str]:
    """Definitions may name things by id as well; what is gone keeps the key that it was named by."""
    found = set()
    for key in keys:
        named = sa.select(table.c.name).where(table.c.account_id == account_id, table.c.id == key)
        found.add(connection.scalar(named) or key)
    return found
