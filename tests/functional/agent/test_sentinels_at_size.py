"""A hundred thousand jobs: only those that are due to be heard from are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent.services.sentinel import Sentinels
from shared.models import Event
from tests.functional.agent.life import Life
from tests.functional.agent.stage import MINUTE, Stage, opened

JOBS = 100_000
LEFT_OUT = {"number", "id", "name", "name_key", "slug", "due_at"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path / "data") as stage:
        life = Life(stage)
        await life.job()
        await life.regular(12)
        await life.look()
        _multiply(stage)
        yield stage


def _multiply(stage: Stage) -> None:
    """As many like the one that there is, each with its watch; expected one after the other, from now on."""
    engine = sa.create_engine(f"sqlite:///{stage.path / 'jobdeck.db'}")
    with engine.begin() as connection:
        columns = [row[1] for row in connection.execute(sa.text("PRAGMA table_info(jobs)"))]
        same = ", ".join(name for name in columns if name not in LEFT_OUT)
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= {JOBS})"
        connection.execute(
            sa.text(
                f"INSERT INTO jobs (number, id, name, name_key, slug, {same}) {numbers} "
                f"SELECT i, 'job-' || i, 'Job ' || i, 'job ' || i, 'job-' || i, {same} FROM n, jobs WHERE number = 1"
            )
        )
        connection.execute(
            sa.text(
                f"INSERT INTO watches {numbers} SELECT i, revision, work, work_since, rhythm, last_end, expected_at, "
                "overdue_at + 10 * i, slow_after, history FROM n, watches WHERE job_number = 1"
            )
        )
    engine.dispose()


def _listen(stage: Stage) -> list[str]:
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            asked.append(statement)

    for engine in (stage.agent.sql._writer._engine, stage.agent.sql._readers.engine):
        sa.event.listen(engine, "before_cursor_execute", hear)
    return asked


async def test_quiet_jobs_cost_three_questions_and_silent_ones_are_told_in_batches(stage: Stage) -> None:
    sentinels, told = stage.duty(Sentinels), list[Event]()
    stage.agent.sql.subscribe(told.extend)
    asked = _listen(stage)
    await sentinels.poll()
    assert [statement.split()[0] for statement in asked] == ["SELECT"] * 3
    _explains_by_index(stage, asked)
    # All of them were to be heard from by now, within a second: more than one batch.
    stage.clock.advance(13 * MINUTE)
    asked.clear()
    for _ in range(4):
        assert await sentinels.poll() == 0
    opened = [event for event in told if event.kind == "sentinel.opened"]
    assert len(opened) == len({event.data["jobId"] for event in opened}) == 4 * 100
    assert len(asked) <= 4 * 20
    _explains_by_index(stage, [statement for statement in asked if statement.startswith("SELECT")])


def _explains_by_index(stage: Stage, asked: list[str]) -> None:
    engine = sa.create_engine(f"sqlite:///{stage.path / 'jobdeck.db'}")
    with engine.connect() as connection:
        for statement in asked:
            values = tuple([0] * statement.count("?"))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            steps = [str(row[3]) for row in plan]
            assert not [
                step for step in steps if step.startswith("SCAN") and "INDEX" not in step and "behind" not in step
            ], steps
    engine.dispose()
