"""Statements that go straight to the driver say what SQLAlchemy's own execution says of the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from agent.store.engine.prepared import Lookup, Prepared
from agent.store.types import Json, Moment

NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("data", Json),
)
_COLUMNS = ("at", "open", "data")
_INSERT = Prepared(sa.insert(things).returning(things.c.id), _COLUMNS)
_ROWS = [
    {"at": NOW, "open": True, "data": {"a": [1, None, "ü"]}},
    {"at": None, "open": False, "data": None},
    *({"at": NOW + timedelta(days=number), "open": number % 2 == 0, "data": number} for number in range(600)),
]


@pytest.fixture
def connection() -> sa.Connection:
    engine = sa.create_engine("sqlite://", hide_parameters=True)
    connection = engine.connect()
    things.metadata.create_all(connection)
    connection.begin_nested()
    assert [_INSERT.rows(connection, row)[0]["id"] for row in _ROWS] == list(range(1, len(_ROWS) + 1))
    return connection


def test_values_go_in_and_come_out_as_by_the_library(connection: sa.Connection) -> None:
    known = [dict(row) for row in connection.execute(sa.select(things)).mappings()]
    assert Prepared(sa.select(things)).rows(connection, {}) == known
    assert [{name: row[name] for name in _COLUMNS} for row in known] == _ROWS


@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, 257, 602])
def test_as_many_keys_as_there_are(connection: sa.Connection, count: int) -> None:
    keys = list(range(1, count + 1))
    found = Lookup(sa.select(things.c.id).where(things.c.id > 0), things.c.id).rows(connection, [*keys, 9999])
    assert sorted(row["id"] for row in found) == keys


def test_parameters_that_stand_in_the_statement_keep_their_values(connection: sa.Connection) -> None:
    query = sa.select(things.c.id).where(things.c.open.is_(True), things.c.at >= sa.bindparam("since", type_=Moment))
    found = Prepared(query.limit(2)).rows(connection, {"since": NOW})
    assert [row["id"] for row in found] == [1, 3]


def test_changed_rows_are_counted(connection: sa.Connection) -> None:
    close = Prepared(sa.update(things).where(things.c.id == sa.bindparam("of")).values(open=False))
    assert close.each(connection, [{"of": 1}, {"of": 3}, {"of": 9999}]) == 2


def test_a_refusal_is_told_as_the_library_tells_it_without_the_values(connection: sa.Connection) -> None:
    with pytest.raises(IntegrityError) as caught:
        Prepared(sa.insert(things), ("id", *_COLUMNS)).each(
            connection, [{"id": 1, "at": None, "open": True, "data": "hunter2"}]
        )
    assert "hunter2" not in str(caught.value)


def test_a_parameter_that_is_missing_is_an_error(connection: sa.Connection) -> None:
    with pytest.raises(KeyError, match="of"):
        Prepared(sa.delete(things).where(things.c.id == sa.bindparam("of"))).each(connection, [{}])
