"""In which order writes are made: those that hurry go before those that are patient, and nobody waits for ever; and what
is told of a write before its commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from agent.store import events
from agent.store.engine import prepared, queue
from agent.store.engine import writer as writer_module
from agent.store.engine.writer import Writer
from agent.store.store import SqlStore
from shared.errors import NotFound, Unavailable
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
    monkeypatch.setattr(queue, "GROUP", 1)
    assert await _order(store._writer) == ["patient", "other", "hurried"]


async def test_what_rides_along_goes_with_its_group_however_many_wait(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And behind all of it: what a claim is told with, it has seen."""
    monkeypatch.setattr(queue, "GROUP", 2)
    writer, made = store._writer, list[object]()
    riding = [lambda: writer.submit(lambda _connection: made.append("rider"))]
    writer.ride(lambda: riding.pop()() if riding else None)
    await asyncio.gather(
        *(writer.submit(lambda _connection, number=number: made.append(number), stirs=True) for number in range(3))
    )
    assert made == [0, 1, "rider", 2]


async def test_what_is_patient_waits_for_nobody_where_nothing_hurries(store: SqlStore) -> None:
    assert await _order(store._writer, hurries=False) == ["patient", "other", "hurried"]


class Foresight:
    def __init__(self, told: list[object]) -> None:
        self._told = told

    def foresee(self, result: object) -> None:
        self._told.append(("foreseen", result))

    def confirm(self) -> None:
        """On a thread of the store; on a fast disk before anything is foreseen."""

    def decide(self, *, kept: bool) -> None:
        self._told.append(("decided", kept))


async def test_a_result_is_foretold_and_what_became_of_it_is_told_before_all_others(store: SqlStore) -> None:
    told: list[object] = []
    writer = store._writer
    end = writer.subscribe(lambda _news: told.append("heard"))
    await writer.submit(_tell, foresight=Foresight(told))
    end()
    assert told == [("foreseen", "written"), ("decided", True), "heard"]


async def test_what_is_foretold_is_not_on_the_disk_yet(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    told, committing, foreseen = list[object](), threading.Event(), threading.Event()
    real = prepared.commit

    def commit(connection: sa.Connection) -> None:
        committing.set()
        assert foreseen.wait(10)
        real(connection)

    class Sign(Foresight):
        def foresee(self, result: object) -> None:
            super().foresee(result)
            foreseen.set()

        def confirm(self) -> None:
            told.append(f"confirmed by {threading.current_thread().name}")

    monkeypatch.setattr(writer_module, "commit", commit)
    await store._writer.submit(_tell, foresight=Sign(told))
    assert committing.is_set()
    assert told == [("foreseen", "written"), "confirmed by jobdeck-store-writer", ("decided", True)]


async def test_a_commit_that_fails_is_told_to_who_foresaw_it(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", None, Exception("disk full"))

    class Sign(Foresight):
        def confirm(self) -> None:
            told.append("confirmed")

    told: list[object] = []
    with monkeypatch.context() as broken:
        broken.setattr(writer_module, "commit", commit)
        with pytest.raises(Unavailable):
            await store._writer.submit(_tell, foresight=Sign(told))
    assert told == [("foreseen", "written"), ("decided", False)]


async def test_of_a_refusal_and_of_nothing_nobody_foresees_anything(store: SqlStore) -> None:
    def refuse(_connection: sa.Connection) -> list[str]:
        raise NotFound("there is none")

    told: list[object] = []
    refused = store._writer.submit(refuse, foresight=Foresight(told))
    empty = store._writer.submit(lambda _connection: list[str](), foresight=Foresight(told))
    one = store._writer.submit(_tell, foresight=Foresight(told))
    with pytest.raises(NotFound):
        await refused
    assert (await empty, await one) == ([], "written")
    assert told == [("foreseen", "written"), ("decided", True)]


def _tell(connection: sa.Connection) -> str:
    events.record(connection, "agent.changed", [(events.EVERYBODY, "a", {})], NOW)
    return "written"


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
