"""What the agent has to offer for a field; asked for once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from console.client import AgentClient
from console.render.amounts import count
from console.screens.create.draft import Draft
from console.screens.create.fields import Field, Option
from console.screens.create.schedule import INTERVALS, WHEN
from console.screens.create.schema import CONNECTION, TABLE

if TYPE_CHECKING:
    from console.client.answers import Column, Table

NO_CONNECTION = "no connections yet; in a shell: jobdeck connection add NAME URL"
_MOMENTS = ("DATE", "TIME")
_NUMBERS = ("INT", "SERIAL", "NUMERIC", "DECIMAL")
"""Parts of the names of column types whose values may advance with every change: moments most likely."""


class Offering:
    def __init__(self, client: AgentClient) -> None:
        self._client = client
        self._connections: dict[str, str] | None = None
        self._tables: dict[str, Sequence[Table]] = {}
        self._columns: dict[tuple[str, str], Sequence[Column]] = {}

    async def options(self, field: Field, draft: Draft) -> tuple[Sequence[Option], str]:
        """The options, and what to say when there is none. JobdeckError when the agent cannot say."""
        match field.source:
            case "connections":
                connections = await self._client.world.connections()
                self._connections = {each.name: each.id for each in connections}
                return [Option(each.name, f"{each.kind}  {each.url}") for each in connections], NO_CONNECTION
            case "tables":
                return await self._table_options(draft)
            case "columns" | "filter_columns":
                return await self._column_options(field, draft)
            case "knowledge_bases":
                bases = await self._client.world.knowledge_bases()
                return [Option(each.name, count(each.rows, "row")) for each in bases], "a name makes a new one"
            case "zones":
                return [Option(name) for name in _zones()], ""
            case "intervals":
                return INTERVALS.get(draft.text(WHEN), ()), ""
        return field.options, ""

    async def knows_base(self, name: str) -> bool:
        return any(each.name == name for each in await self._client.world.knowledge_bases())

    async def _table_options(self, draft: Draft) -> tuple[Sequence[Option], str]:
        connection = await self._connection(draft)
        if connection is None:
            return (), "choose the connection first"
        if connection not in self._tables:
            self._tables[connection] = await self._client.world.tables(connection)
        return [Option(each.name, _table_about(each)) for each in self._tables[connection]], "it has no tables"

    async def _column_options(self, field: Field, draft: Draft) -> tuple[Sequence[Option], str]:
        connection, table = await self._connection(draft), draft.text(TABLE).strip()
        if connection is None or not table:
            return (), "choose the table first"
        columns = await self._columns_of(connection, table)
        if field.source == "filter_columns":
            columns = sorted(columns, key=_rank)
        return [Option(each.name, _column_about(each)) for each in columns], "it has no columns"

    async def _columns_of(self, connection: str, table: str) -> Sequence[Column]:
        key = (connection, table)
        if key not in self._columns:
            found = await self._client.world.tables(connection, table)
            self._columns[key] = found[0].columns if found else ()
        return self._columns[key]

    async def _connection(self, draft: Draft) -> str | None:
        if self._connections is None:
            self._connections = {each.name: each.id for each in await self._client.world.connections()}
        return self._connections.get(draft.text(CONNECTION).strip())


def _zones() -> list[str]:
    """Places before the old short names."""
    return sorted(available_timezones(), key=lambda name: ("/" not in name and name != "UTC", name != "UTC", name))


def _table_about(table: Table) -> str:
    return count(len(table.columns), "column") if table.columns else ""


def _column_about(column: Column) -> str:
    return f"{column.type}{'  primary key' if column.primary_key else ''}"


def _rank(column: Column) -> int:
    kind = column.type.upper()
    if any(part in kind for part in _MOMENTS):
        return 0
    return 1 if any(part in kind for part in _NUMBERS) and not column.primary_key else 2
