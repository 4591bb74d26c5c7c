"""In which order writes are made: those that hurry go before those that are patient, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from agent.store.engine import writer as writer_module
from agent.store.engine.writer import Writer
from agent.store.store import SqlStore
from tests.contract.store.making import NOW


async def test_what_hurries_goes_before_what_is_patient(store: SqlStore) -> None:
    assert await _order(store._writer) == ["other", "hurried", "patient"]


async def test_what_has_been_patient_for_long_goes_along_in_its_place(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "PATIENCE", 0.0)
    assert await _order(store._writer) == ["patient", "other", "hurried"]


async def test_what_has_been_patient_for_long_goes_along_however_many_wait_for_nobody(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "PATIENCE", 0.0)
    monkeypatch.setattr(writer_module, "GROUP", 1)
    assert await _order(store._writer) == ["patient", "other", "hurried"]


async def test_what_rides_along_goes_with_its_group_however_many_wait(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And behind all of it: what a claim is told with, it has seen."""
    monkeypatch.setattr(writer_module, "GROUP", 2)
    writer, made = store._writer, list[object]()
    riding = [lambda: writer.submit(lambda _connection: made.append("rider"))]
    writer.ride(lambda: riding.pop()() if riding else None)
    await asyncio.gather(
        *(writer.submit(lambda _connection, number=number: made.append(number), stirs=True) for number in range(3))
    )
    assert made == [0, 1, "rider", 2]


async def test_what_is_patient_waits_for_nobody_where_nothing_hurries(store: SqlStore) -> None:
    assert await _order(store._writer, hurries=False) == ["patient", "other", "hurried"]


async def _order(writer: Writer, *, hurries: bool = True) -> list[str]:
    made: list[str] = []

    def each(_connection: sa.Connection, items: Sequence[str], _now: datetime) -> list[Any]:
        made.extend(items)
        return [None for _ in items]

    await asyncio.gather(
        writer.submit_each(each, ["patient"], NOW, patient=True),
        writer.submit(lambda _connection: made.append("other")),
        writer.submit(lambda _connection: made.append("hurried"), hurries=hurries),
    )
    return made
