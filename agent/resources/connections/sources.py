"""The agent's view of data sources: the `Sources` port over the functions of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant
from agent.resources.connections.inspection import TableInfo
from agent.resources.connections.probe import describe_source, describe_table
from agent.resources.connections.urls import join_credentials, kind_of, split_credentials
from shared.errors import NotFound, Unavailable


class SqlSources:
    """Sources that SQLAlchemy can read."""

    def split(self, url: str) -> tuple[str, str, str | None]:
        bare, password = split_credentials(url)
        return kind_of(url), bare, password

    def join(self, url: str, password: str | None) -> str:
        return join_credentials(url, password)

    async def test(self, grant: ConnectionGrant) -> list[str]:
        with _as_unavailable():
            return await describe_source(grant.name, grant.url)

    async def tables(self, grant: ConnectionGrant, table: str | None) -> list[dict[str, Any]]:
        with _as_unavailable():
            if table is None:
                return [{"name": name, "columns": []} for name in await describe_source(grant.name, grant.url)]
            found = await describe_table(grant.name, grant.url, table)
        if found is None:
            raise NotFound(f"connection '{grant.name}' has no table '{table}'")
        return [_described(found)]


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except DriverError as error:
        raise Unavailable(error.message) from None


def _described(table: TableInfo) -> dict[str, Any]:
    columns = [
        {"name": column.name, "type": column.type_name, "primaryKey": column.name in table.primary_key}
        for column in table.columns.values()
    ]
    return {"name": table.full_name, "columns": columns}
