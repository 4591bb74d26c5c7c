"""What every table is made with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column

from agent.store.types import Number
from shared.states import RunState

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def words(states: Iterable[RunState]) -> str:
    return ", ".join(f"'{state}'" for state in RunState if state in states)


def table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    # AUTOINCREMENT: SQLite would hand out the highest number again after its row was deleted; pages and events would lie.
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=any(_counts(part) for part in parts), **options)


def _counts(part: sa.schema.SchemaItem) -> bool:
    return isinstance(part, Column) and part.primary_key and part.name in {"number", "id"} and part.type is Number
