"""A look at a store's file from outside the agent: through a connection that cannot write, whoever has it open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from agent.store import facts, schema
from agent.store.engine.engine import BUSY_SECONDS
from agent.store.fires.backlog import FOR_OPERATOR
from agent.store.identity import limits
from agent.store.tables import (
    HELD,
    STILL_HELD,
    accounts,
    connections,
    datasets,
    events,
    fires,
    job_revisions,
    jobs,
    knowledge_bases,
    runs,
    secrets,
)
from shared.errors import Unavailable
from shared.models import AccountLimits

MOST_PROBLEMS = 20


class StoreInspection:
    """One state of the store; no question waits for a writer."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def schema(self) -> str | None:
        """The migration it stands at; None for a file without tables of ours."""
        return schema.current(self._connection)

    def fact(self, key: str) -> str | None:
        return facts.get(self._connection, key)

    def problems(self) -> list[str]:
        """What the engine finds wrong with the file, in its words; empty when it is sound."""
        found = self._connection.exec_driver_sql(f"PRAGMA quick_check({MOST_PROBLEMS})").scalars().all()
        return [] if list(found) == ["ok"] else [str(line) for line in found]

    def dangling(self) -> list[str]:
        """Tables with rows that refer to rows which are not there."""
        found = self._connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(10_000)
        return sorted({str(row[0]) for row in found})

    def newest_event(self) -> datetime | None:
        return self._connection.scalar(sa.select(events.c.at).order_by(events.c.id.desc()).limit(1))

    def held_runs(self) -> list[tuple[str, str, datetime]]:
        """(run, job's name, end of the lease) of every run that is `running`."""
        query = sa.select(runs.c.id, jobs.c.name, runs.c.lease_until).join(jobs, jobs.c.number == runs.c.job_number)
        return [tuple(row) for row in self._connection.execute(query.where(HELD).order_by(runs.c.lease_until))]

    def held_fires(self) -> tuple[int, int, datetime | None]:
        """(missed fires that wait for an operator, of how many jobs, since when)."""
        counts = (
            sa.func.count(),
            sa.func.count(fires.c.job_number.distinct()),
            sa.func.min(fires.c.decided_at, type_=fires.c.decided_at.type),
        )
        found = self._connection.execute(sa.select(*counts).where(STILL_HELD, FOR_OPERATOR)).one()
        return found[0], found[1], found[2]

    def jobs(self) -> Iterator[sa.RowMapping]:
        """Every job that is not deleted."""
        names = ("id", "account_id", "name", "type", "interval_type", "enabled", "paused_at", "next_fire_at")
        columns = [jobs.c[name] for name in (*names, "zone_data_version", "definition", "created_at")]
        query = sa.select(*columns).where(jobs.c.deleted_at.is_(None)).order_by(jobs.c.number)
        yield from self._connection.execution_options(stream_results=True).execute(query).mappings()

    def awaited_revisions(self) -> list[sa.RowMapping]:
        """Of which there are runs that are not over, and past which their jobs are."""
        past = sa.and_(runs.c.job_number == jobs.c.number, runs.c.revision != jobs.c.revision)
        unfinished = sa.select(jobs.c.number, runs.c.revision).join(runs, past).where(runs.c.finished_at.is_(None))
        which = unfinished.distinct().subquery()
        same = sa.and_(which.c.number == job_revisions.c.job_number, which.c.revision == job_revisions.c.revision)
        query = sa.select(jobs.c.name, job_revisions.c.revision, job_revisions.c.definition)
        query = query.select_from(job_revisions.join(which, same).join(jobs, jobs.c.number == which.c.number))
        return list(self._connection.execute(query).mappings())

    def limits(self) -> dict[str, AccountLimits]:
        """What holds for each account."""
        found = self._connection.scalars(sa.select(accounts.c.id)).all()
        return {account: limits.of(self._connection, account) for account in found}

    def connections(self) -> list[sa.RowMapping]:
        return self._all(connections, "id", "name", "account_id", "secret_name")

    def knowledge_bases(self) -> list[sa.RowMapping]:
        return self._all(knowledge_bases, "id", "name", "account_id", "embedder", "dimensions")

    def datasets(self) -> list[sa.RowMapping]:
        return self._all(datasets, "id", "name", "account_id")

    def secrets(self) -> list[sa.RowMapping]:
        return self._all(secrets, "account_id", "name", "ciphertext")

    def _all(self, table: sa.Table, *names: str) -> list[sa.RowMapping]:
        return list(self._connection.execute(sa.select(*(table.c[name] for name in names))).mappings())


@contextmanager
def inspect_store(path: Path) -> Iterator[StoreInspection]:
    """Unavailable if the file cannot be read."""
    engine = sa.create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield StoreInspection(connection)
    except DBAPIError as error:
        raise Unavailable(f"the store {path} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


def _connect(path: Path) -> Any:
    uri = f"file:{quote(str(path))}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
