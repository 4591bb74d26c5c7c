"""How Python's values lie in the columns, the same on every engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exactly; a naive moment is refused."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware moment as whole microseconds: sorts, compares and subtracts alike on every engine."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


class Json(sa.types.TypeDecorator[Any]):
    """Any JSON value as text; None is NULL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class Spoken(sa.types.TypeDecorator[str]):
    """Text that workers send: what cannot be written as UTF-8 is replaced rather than refused."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else sayable(value)


def to_json(value: Any) -> str:
    return sayable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def sayable(text: str) -> str:
    """JSON can smuggle in halves of surrogate pairs, which no file and no answer can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A key that the engine counts up. SQLite counts only what is declared INTEGER; there it is 64 bits wide as well."""


def micros(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The column's bare number, for arithmetic."""
    return sa.type_coerce(column, sa.BigInteger)
