"""Data sources as the agent's core asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant
from agent.resources.connections.inspection import TableInfo
from agent.resources.connections.probe import describe_source, describe_table, test_source
from agent.resources.connections.urls import check_file_outside, join_credentials, kind_of, split_credentials
from shared.errors import NotFound, Unavailable


class SqlSources:
    """Implements `agent.core.ports.Sources` for whatever SQLAlchemy reaches, but for the agent's own files: whoever
    administers one account would read, and by an import change, what is everybody's."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def split(self, url: str) -> tuple[str, str, str | None]:
        check_file_outside(url, self._data_dir)
        return kind_of(url), *split_credentials(url)

    def join(self, url: str, password: str | None) -> str:
        """Asked each time that the connection is used: what its path leads to may have changed since."""
        check_file_outside(url, self._data_dir)
        return join_credentials(url, password)

    async def test(self, grant: ConnectionGrant) -> list[str]:
        try:
            await test_source(grant.name, grant.url)
            return await describe_source(grant.name, grant.url)
        except DriverError as error:
            raise Unavailable(error.message) from None

    async def tables(self, grant: ConnectionGrant, table: str | None) -> list[dict[str, Any]]:
        """NotFound if `table` is named and not there."""
        try:
            if table is None:
                return [{"name": name} for name in await describe_source(grant.name, grant.url)]
            described = await describe_table(grant.name, grant.url, table)
        except DriverError as error:
            raise Unavailable(error.message) from None
        if described is None:
            raise NotFound(f"connection '{grant.name}' has no table '{table}'")
        return [_shown(described)]


def _shown(table: TableInfo) -> dict[str, Any]:
    return {
        "name": table.full_name,
        "columns": [
            {"name": column.name, "type": column.type_name, "primaryKey": column.name in table.primary_key}
            for column in table.columns.values()
        ],
    }
