"""How Python's values lie in the columns, the same on every engine.

A type's `to_column` and `from_column` are what it does to a value that is not None, for who executes statements by
the driver itself (`prepared.py`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json as read_json
from pydantic_core import to_json as write_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exactly; a naive moment is refused."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def to_json(value: Any) -> str:
    """The fast writer where it can: what it refuses (halves of surrogate pairs, depths) the library's own takes."""
    try:
        return write_json(value).decode()
    except ValueError:
        return sayable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def from_json(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return json.loads(text)


def sayable(text: str) -> str:
    """JSON can smuggle in halves of surrogate pairs, which no file and no answer can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware moment as whole microseconds: sorts, compares and subtracts alike on every engine."""

    impl = sa.BigInteger
    cache_ok = True
    to_column, from_column = staticmethod(to_micros), staticmethod(from_micros)

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


class Json(sa.types.TypeDecorator[Any]):
    """Any JSON value as text; None is NULL."""

    impl = sa.Text
    cache_ok = True
    to_column, from_column = staticmethod(to_json), staticmethod(from_json)

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:  # noqa: ARG002
        return None if value is None else from_json(value)


class Definition(Json):
    """As Json; text that is none any more is handed on as it is, so that the rows beside it can be read."""

    cache_ok = True

    @staticmethod
    def from_column(text: str) -> Any:
        try:
            return from_json(text)
        except ValueError:
            return text

    def process_result_value(self, value: str | None, dialect: Any) -> Any:  # noqa: ARG002
        return None if value is None else self.from_column(value)


class Spoken(sa.types.TypeDecorator[str]):
    """Text that workers send: what cannot be written as UTF-8 is replaced rather than refused."""

    impl = sa.Text
    cache_ok = True
    to_column = staticmethod(sayable)

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else sayable(value)


Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A key that the engine counts up. SQLite counts only what is declared INTEGER; there it is 64 bits wide as well."""


def micros(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The column's bare number, for arithmetic."""
    return sa.type_coerce(column, sa.BigInteger)
