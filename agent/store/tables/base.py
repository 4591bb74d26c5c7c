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


def is_one_of(states: Iterable[RunState]) -> str:
    """Of a row's `state`. Not IN: SQLite builds a list of more than two for each statement that asks for it."""
    return "(" + " OR ".join(f"state = '{state}'" for state in RunState if state in states) + ")"


def table(name: str, *parts: sa.schema.SchemaItem, counts: bool = True, **options: Any) -> sa.Table:
    """`counts`: whether the engine counts up its key, if that is a number; else whoever inserts says which."""
    # AUTOINCREMENT: SQLite would hand out the highest number again after its row was deleted; pages would lie.
    counted = counts and any(_counts(part) for part in parts)
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=counted, **options)


def _counts(part: sa.schema.SchemaItem) -> bool:
    return isinstance(part, Column) and part.primary_key and part.name in {"number", "id"} and part.type is Number
