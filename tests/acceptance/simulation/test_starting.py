"""What a start asks of the store, and what every look at due jobs does: the same however many jobs are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agent.services.scheduler import Scheduler
from agent.store import STORE_FILE
from agent.store.engine import prepared
from agent.store.engine.prepared import Row
from shared.clock import ManualClock
from tests.acceptance.simulation.crowd import BEGIN, definitions, gather, opened

Asked = list[tuple[str, Any]]
"""Statements with their parameters."""
_GROWING = ("jobs", "runs", "fires", "events", "attempts", "job_revisions", "job_statistics")
_OF_ACTIVE = ("ix_runs_active", "ix_runs_available", "ix_runs_claim", "ix_runs_held", "ix_runs_leaving")


async def test_a_start_asks_the_same_of_few_jobs_and_of_many(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    await gather(few, len(definitions()))
    await gather(many, 1_000)
    asked = [await _start(each) for each in (few, many)]
    assert [statement for statement, _ in asked[0]] == [statement for statement, _ in asked[1]]
    assert _walks(many, asked[1]) == []


async def test_due_jobs_are_found_by_index(tmp_path: Path) -> None:
    await gather(tmp_path, 1_000)
    clock = ManualClock(BEGIN)
    agent = await opened(tmp_path, clock)
    scheduler = next(duty for duty in agent.duties if isinstance(duty, Scheduler))
    await scheduler.poll()
    clock.advance(timedelta(minutes=1))
    with _listening() as asked:
        await scheduler.poll()
    await agent.close()
    assert any("due_at <= ?" in statement for statement, _ in asked)
    assert any(statement.startswith("INSERT INTO fires") for statement, _ in asked)
    assert _walks(tmp_path, asked) == []


async def _start(data_dir: Path) -> Asked:
    """Open, rescue, and let each duty look once."""
    with _listening() as asked:
        agent = await opened(data_dir, ManualClock(BEGIN))
        await agent.rescuer.rescue_predecessors()
        for duty in agent.duties:
            await duty.poll()
        await agent.close()
    return asked


@contextmanager
def _listening() -> Iterator[Asked]:
    asked: Asked = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        with _listening_to_prepared(asked):
            yield asked
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


@contextmanager
def _listening_to_prepared(asked: Asked) -> Iterator[None]:
    """Statements of the hot path go to the driver by themselves."""
    kind = prepared._Compiled
    read, write = kind.read, kind.write

    def hear_read(self: Any, connection: sa.Connection, values: tuple[Any, ...]) -> list[Row]:
        asked.append((self._text, values))
        return read(self, connection, values)

    def hear_write(self: Any, connection: sa.Connection, values: list[tuple[Any, ...]]) -> int:
        asked.extend((self._text, each) for each in values)
        return write(self, connection, values)

    kind.read, kind.write = hear_read, hear_write  # type: ignore[method-assign]
    try:
        yield
    finally:
        kind.read, kind.write = read, write  # type: ignore[method-assign]


def _walks(data_dir: Path, asked: Asked) -> list[str]:
    """The queries among these that walk through a table that grows."""
    found = []
    with closing(sqlite3.connect(data_dir / STORE_FILE)) as store:
        for statement, parameters in asked:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                given = parameters[0] if isinstance(parameters, list) else parameters
                steps = [row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {statement}", given)]
                found += [f"{step}: {statement}" for step in steps if _is_walk(step)]
    return found


def _is_walk(step: str) -> bool:
    """A walk through the index of the runs that wait is none: those that are over are not in it."""
    words = step.split()
    return words[0] == "SCAN" and words[1] in _GROWING and words[-1] not in _OF_ACTIVE
