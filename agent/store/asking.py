"""Questions that machines ask often: their statements are made once, and executed by the driver itself where they can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from agent.store.prepared import Prepared, Row


class Question(Protocol):
    def rows(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> list[Row]: ...


def question(statement: sa.Select[Any], *, seen_by: str | None) -> Question:
    """With the conditions of what a user may see, lists of values are spelled out at each execution: that is left to
    SQLAlchemy."""
    return Prepared(statement) if seen_by is None else _Plain(statement)


class _Plain:
    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement

    def rows(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> list[Row]:
        return [dict(row) for row in connection.execute(self._statement, dict(parameters)).mappings()]
