"""A table in a DuckDB file as the target of an import, by DuckDB itself: its dialect of SQLAlchemy is slow at many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from agent.core.driving import RunContext
from agent.core.wire import ConnectionGrant
from agent.resources.connections import TableInfo, naming_failures, parse_url
from agent.resources.datasets import standing as standings
from agent.resources.datasets.duck import MEMORY, load_duckdb, named
from agent.resources.datasets.query import numbered
from agent.resources.datasets.standing import Standing
from agent.resources.datasets.targets import RowRefused, on_conflict

_ARRIVING = "temp.arriving"


class DuckTarget:
    """Implements `Target`. Rows arrive in a table of the connection, and go over in one statement."""

    def __init__(
        self,
        context: RunContext,
        grant: ConnectionGrant,
        table: TableInfo,
        columns: Sequence[str],
        keys: Sequence[str] | None,
    ) -> None:
        self._context = context
        self._grant = grant
        self._once = keys is None
        self._key_places = [columns.index(key) for key in keys or ()]
        self._duckdb = load_duckdb()
        place = ".".join(named(part) for part in (table.schema, table.name) if part)
        quoted = [named(column) for column in columns]
        self._make = f"CREATE OR REPLACE TEMP TABLE arriving AS SELECT {', '.join(quoted)} FROM {place} LIMIT 0"
        self._move = f"INSERT INTO {place} ({', '.join(quoted)}) SELECT {', '.join(quoted)} FROM {_ARRIVING}"
        if keys is not None:
            self._move += f" {on_conflict(quoted, [named(key) for key in keys])}"
        with self._naming():
            settings = {"memory_limit": MEMORY, "autoinstall_known_extensions": False, "enable_external_access": False}
            self._connection = self._duckdb.connect(str(parse_url(grant.url).database), config=settings)
            self._connection.execute("SET TimeZone = 'UTC'")

    def standing(self) -> Standing:
        if not self._once:
            return standings.saved(self._context)
        with self._naming(), self._transaction():
            return standings.begin(self._execute, self._context)

    def write(self, rows: Sequence[Sequence[Any]], after: Standing) -> None:
        with self._naming(), self._transaction():
            if rows:
                self._put(rows)
            if self._once:
                standings.note(self._execute, self._context, after)
        if not self._once:
            standings.save(self._context, after)

    def close(self) -> None:
        self._connection.close()

    def _put(self, rows: Sequence[Sequence[Any]]) -> None:
        if self._key_places:  # one statement does not replace a row twice: the last of a key is it
            rows = list({tuple(row[place] for place in self._key_places): row for row in rows}.values())
        self._connection.execute(self._make)
        appender = self._connection.appender("arriving")
        try:
            appender.append_rows(rows)
            appender.flush()
            self._connection.execute(self._move)
        except (self._duckdb.IntegrityError, self._duckdb.DataError, self._duckdb.ProgrammingError) as error:
            appender.clear()
            raise RowRefused(str(error).partition("\n")[0][:500]) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise

    def _execute(self, statement: str, values: Mapping[str, Any]) -> Any:
        text, given = numbered(statement, values)
        return self._connection.execute(text, given or None).fetchone()

    @contextmanager
    def _naming(self) -> Iterator[None]:
        with naming_failures(self._grant.name, self._grant.url):
            try:
                yield
            except self._duckdb.Error as error:
                raise sa.exc.DBAPIError(None, None, error) from None
