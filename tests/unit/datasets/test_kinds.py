"""Columns get the narrowest type that loses nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from agent.resources.datasets.kinds import Kind

NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - both kinds are meant


@pytest.mark.parametrize(
    ("batches", "type_"),
    [
        ([[1], [None, 2]], "BIGINT"),
        ([[True], [False]], "BOOLEAN"),
        ([[True], [2]], "BIGINT"),
        ([[1], [0.5]], "DOUBLE"),
        ([[2**53 + 1], [0.5]], "VARCHAR"),
        ([[2**63]], "DECIMAL(38,0)"),
        ([[10**38]], "VARCHAR"),
        ([[Decimal("1.50")], [Decimal("100")]], "DECIMAL(5,2)"),
        ([[Decimal("1.5")], [7]], "DECIMAL(20,1)"),
        ([[Decimal("1e30")], [Decimal("1e-30")]], "VARCHAR"),
        ([[Decimal("NaN")]], "VARCHAR"),
        ([[Decimal("1.5")], [0.5]], "VARCHAR"),
        ([["a"], [b"b"]], "BLOB"),
        ([[NOON]], "TIMESTAMP"),
        ([[NOON.replace(tzinfo=UTC)]], "TIMESTAMP WITH TIME ZONE"),
        ([[NOON, NOON.replace(tzinfo=UTC)]], "VARCHAR"),
        ([[date(2026, 1, 1)]], "DATE"),
        ([[time(1)]], "TIME"),
        ([[time(1, tzinfo=UTC)]], "VARCHAR"),
        ([[UUID(int=1)]], "UUID"),
        ([[timedelta(days=1)]], "VARCHAR"),
        ([[{"a": 1}], [[1]]], "VARCHAR"),
        ([[None], [None]], "VARCHAR"),
    ],
)
def test_the_type_holds_all_that_came(batches: list[list[Any]], type_: str) -> None:
    kind = Kind()
    for batch in batches:
        kind.admit(batch)
    assert kind.final == type_


def test_what_becomes_text_reads_as_what_it_was() -> None:
    kind = Kind()
    kind.admit(["x"])
    given = [1, 0.1, True, None, NOON, date(2026, 1, 1), Decimal("1.50"), timedelta(days=1, microseconds=1), {"ä": [1]}]
    assert kind.admit(given) == [
        "1", "0.1", "true", None, "2026-01-01 12:00:00", "2026-01-01", "1.50", "24:00:00.000001", '{"ä": [1]}',
    ]  # fmt: skip


def test_a_hint_matters_where_nothing_came_and_for_the_scale() -> None:
    assert Kind("DATE").final == "DATE"
    kind = Kind("DECIMAL(10,2)")
    kind.admit([Decimal("1")])
    assert kind.final == "DECIMAL(10,2)"
