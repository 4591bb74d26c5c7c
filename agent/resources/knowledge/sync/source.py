"""The source table as a sync reads it: what there is, and one page of it at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.sql.elements import ColumnElement

from agent.core.driving import DriverError
from agent.resources.connections import TableInfo, naming_failures, query_time
from agent.resources.knowledge.sync.plan import Plan
from agent.resources.knowledge.sync.values import key_text, plain, shown
from agent.resources.knowledge.writing import KnowledgeRow

Position = tuple[Any, ...]
"""Values of the columns a scan is ordered by: (filter value, key …) or (key …)."""


@dataclass(frozen=True, slots=True)
class Page:
    """`last` is the position of the last row, () if there is none; `filters` are the rows' filter values."""

    rows: list[KnowledgeRow]
    last: Position
    filters: list[Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Rows whose filter value is >= `start` (None: from the first) and <= `newest`. `whole`: every row, by key."""

    start: Any = None
    newest: Any = None
    whole: bool = False


class TableSource:
    """Reads through one connection pool; every failure is a DriverError that names the connection."""

    def __init__(self, engine: Engine, connection: str, url: str, table: TableInfo, plan: Plan) -> None:
        self._engine = engine
        self._name = connection
        self._url = url
        self._plan = plan
        names = list(dict.fromkeys((*plan.content, plan.filter, *plan.keys, *plan.attributes)))
        self._columns = {name: _column(engine, table, name) for name in names}
        self._from = sa.table(table.name, *map(sa.column, names), schema=table.schema)
        self._places = {name: place for place, name in enumerate(names)}

    def newest(self) -> Any:
        """The greatest filter value there is, None if there is none."""
        column = self._columns[self._plan.filter]
        return self._scalar(sa.select(column).where(column.is_not(None)).order_by(column.desc()).limit(1))

    def count(self, bounds: Bounds) -> int:
        return int(self._scalar(sa.select(sa.func.count()).where(*self._within(bounds))) or 0)

    def count_without_filter(self) -> int:
        """Rows whose filter value is NULL."""
        return int(self._scalar(sa.select(sa.func.count()).where(self._columns[self._plan.filter].is_(None))) or 0)

    def check_keys(self) -> None:
        """DriverError if a key is NULL or, where no constraint forbids it, names two rows."""
        keys = [self._columns[name] for name in self._plan.keys]
        shown = ", ".join(self._plan.keys)
        if self._plan.keys_nullable and self._rows(
            sa.select(*keys).where(sa.or_(*(k.is_(None) for k in keys))).limit(1)
        ):
            raise DriverError("null_key", f"a row of {self._plan.table} has NULL in its key ({shown})")
        if self._plan.keys_unique:
            return
        twice = self._rows(sa.select(*keys).group_by(*keys).having(sa.func.count() > 1).limit(1))
        if twice:
            raise DriverError(
                "duplicate_key",
                f"{shown} = {key_text(tuple(twice[0]))} names more than one row of {self._plan.table};"
                " name key_columns that tell rows apart",
            )

    def page(self, bounds: Bounds, after: Position | None, limit: int) -> Page:
        """Up to `limit` rows within the bounds that come after the position."""
        order = [self._columns[name] for name in self._order(bounds)]
        query = sa.select(*self._columns.values()).where(*self._within(bounds))
        if after is not None:
            query = query.where(_comes_after(order, after))
        return self._read(self._rows(query.order_by(*order).limit(limit)), bounds)

    def _order(self, bounds: Bounds) -> tuple[str, ...]:
        return self._plan.keys if bounds.whole else (self._plan.filter, *self._plan.keys)

    def _within(self, bounds: Bounds) -> list[ColumnElement[bool]]:
        column = self._columns[self._plan.filter]
        if bounds.whole:
            return []
        conditions = [column <= bounds.newest]
        if bounds.start is not None:
            conditions.append(column >= bounds.start)
        return conditions

    def _read(self, rows: Sequence[Sequence[Any]], bounds: Bounds) -> Page:
        def places(names: Sequence[str]) -> list[int]:
            return [self._places[name] for name in names]

        content, keys, order = places(self._plan.content), places(self._plan.keys), places(self._order(bounds))
        attributes = [(name, self._places[name]) for name in self._plan.attributes]
        filter_place = self._places[self._plan.filter]
        return Page(
            [
                KnowledgeRow(
                    key_text([row[place] for place in keys]),
                    "\n".join([shown(row[place]) for place in content if row[place] is not None]),
                    {name: plain(row[place]) for name, place in attributes},
                )
                for row in rows
            ],
            tuple(rows[-1][place] for place in order) if rows else (),
            [row[filter_place] for row in rows],
        )

    def _scalar(self, query: sa.Select[Any]) -> Any:
        rows = self._rows(query)
        return rows[0][0] if rows else None

    def _rows(self, query: sa.Select[Any]) -> Sequence[Sequence[Any]]:
        with (
            naming_failures(self._name, self._url),
            query_time(self._engine, self._name),
            self._engine.connect() as connection,
        ):
            return connection.execute(query.select_from(self._from)).fetchall()


def _column(engine: Engine, table: TableInfo, name: str) -> ColumnElement[Any]:
    """The column as it is compared and read. SQLite and DuckDB hand values over in their own types, and SQLite's
    must be compared as they are stored: its timestamps are texts in whatever form the writer chose."""
    info = table.columns[name]
    if engine.dialect.name == "sqlite":
        return sa.column(name)
    if engine.dialect.name == "duckdb":
        zoned = isinstance(info.type, sa.DateTime) and info.type.timezone
        return sa.func.timezone("UTC", sa.column(name)) if zoned else sa.column(name)
    return sa.column(name, info.type)


def _comes_after(order: Sequence[ColumnElement[Any]], position: Position) -> ColumnElement[bool]:
    """(a, b, c) > position, spelled out: not every engine compares rows. The leading >= lets an index find the start."""
    column, value = order[0], position[0]
    beyond: ColumnElement[bool] = column > value
    if len(order) == 1:
        return beyond
    return sa.and_(column >= value, sa.or_(beyond, _comes_after(order[1:], position[1:])))
