"""Sentinels while agents come and go, clocks are set, and jobs are paused, edited and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.functional.agent.life import Life
from tests.functional.agent.stage import HOUR, MINUTE, opened


async def test_what_is_open_outlives_the_agent_and_is_not_told_again(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as stage:
        life = Life(stage)
        await life.job()
        await life.regular()
        await life.run(400)
        assert life.events() == ["opened too_slow"]
        clock = stage.clock
    async with opened(tmp_path / "data", clock) as stage:
        life = Life(stage)
        await life.run(400)
        assert (life.events(), await life.open()) == ([], ["too_slow"])
        await life.run()
        await life.run()
        assert life.events() == ["closed too_slow"]


async def test_runs_that_ended_unseen_are_judged_by_the_next_agent(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as stage:
        life = Life(stage)
        await life.job()
        await life.regular()
        life.look = _nothing  # type: ignore[method-assign]
        await life.run(400)
        clock = stage.clock
    async with opened(tmp_path / "data", clock) as stage:
        life = Life(stage)
        await life.look()
        assert life.events() == ["opened too_slow"]


async def _nothing() -> None:
    pass


async def test_a_look_that_was_cut_short_learns_nothing_twice(tmp_path: Path) -> None:
    """Killed after its judgements were written and before its position was."""
    async with opened(tmp_path / "data") as stage:
        life = Life(stage)
        await life.job()
        await life.regular()
        await life.run(400)
        [before] = await stage.agent.sql.watched_jobs([1], [])
        stage.sql("UPDATE meta SET value = '0' WHERE key = 'sentinels_cursor'")
    async with opened(tmp_path / "data", stage.clock) as stage:
        life = Life(stage)
        await life.look()
        [after] = await stage.agent.sql.watched_jobs([1], [])
        assert after == before
        assert life.told == []


async def test_downtime_makes_nothing_overdue_before_the_job_has_had_its_time(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as stage:
        life = Life(stage)
        await life.job(policies={"catch_up": {"mode": "none"}})
        await life.regular()
        clock = stage.clock
    clock.advance(6 * HOUR - 5 * MINUTE)
    async with opened(tmp_path / "data", clock) as stage:
        life = Life(stage)
        await stage.settle()
        await life.look()
        assert life.told == []
        clock.advance(4 * MINUTE)
        await stage.settle()
        await life.look()
        assert life.events() == ["opened overdue"]


async def test_jobs_whose_missed_fires_are_held_for_an_operator_are_told_by_the_backlog_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", catch_up_threshold=0) as stage:
        life = Life(stage)
        job = await life.job(interval="0 * * * *")
        for _ in range(12):
            await life.run(wait=HOUR)
        stage.clock.advance(50 * MINUTE)
    stage.clock.advance(2 * HOUR)
    async with opened(tmp_path / "data", stage.clock, catch_up_threshold=0) as stage:
        life = Life(stage)
        await stage.settle()
        assert await stage.agent.sql.count_held(job.account_id)
        for _ in range(5):
            stage.clock.advance(2 * MINUTE)
            await life.look()
        assert life.told == []


async def test_a_clock_set_forward_makes_nothing_slow_or_overdue(life: Life) -> None:
    await life.job()
    await life.regular()
    life.stage.clock.advance(9 * MINUTE)
    await life.stage.settle()
    await life.start()
    life.stage.clock.set_wall(life.stage.clock.now() + 5 * HOUR)
    await life.look()
    await life.end(30)
    assert life.told == []
    await life.regular(3)
    assert life.told == []


async def test_a_clock_set_back_makes_nothing_slow_or_fast(life: Life) -> None:
    await life.job()
    await life.regular()
    life.stage.clock.advance(9 * MINUTE)
    await life.stage.settle()
    await life.start()
    life.stage.clock.set_wall(life.stage.clock.now() - 3 * HOUR)
    await life.look()
    await life.end(30)
    assert life.told == []


async def test_a_pause_closes_overdue_and_a_resumed_job_is_given_its_time(life: Life) -> None:
    job = await life.job()
    await life.regular()
    life.stage.clock.advance(20 * MINUTE)
    await life.look()
    assert await life.open() == ["overdue"]
    await life.stage.core.jobs.pause(life.stage.me, job.id)
    await life.look()
    life.stage.clock.advance(5 * HOUR)
    await life.look()
    assert life.events() == ["opened overdue", "closed overdue"]
    await life.stage.core.jobs.resume(life.stage.me, job.id)
    await life.look()
    assert await life.open() == []
    life.stage.clock.advance(20 * MINUTE)
    await life.look()
    assert await life.open() == ["overdue"]


async def test_an_edit_of_its_policies_makes_no_resumed_job_overdue(life: Life) -> None:
    job = await life.job()
    await life.regular()
    await life.stage.core.jobs.pause(life.stage.me, job.id)
    await life.look()
    life.stage.clock.advance(5 * HOUR)
    await life.stage.core.jobs.resume(life.stage.me, job.id)
    await life.look()
    await life.stage.edit(job, policies={"sentinels": {"tolerance": 2}})
    await life.look()
    life.stage.clock.advance(13 * MINUTE)
    await life.look()
    assert life.told == []
    life.stage.clock.advance(3 * MINUTE)
    await life.look()
    assert life.events() == ["opened overdue"]


@pytest.mark.parametrize("change", [{"enabled": False}, {"policies": {"sentinels": {"watch": []}}}])
async def test_switched_off_all_close_and_none_opens(life: Life, change: dict[str, Any]) -> None:
    job = await life.job()
    await life.regular()
    await life.run(400)
    await life.stage.edit(job, **change)
    await life.look()
    assert life.events() == ["opened too_slow", "closed too_slow"]
    life.stage.clock.advance(5 * HOUR)
    await life.look()
    assert await life.open() == []


async def test_a_deleted_job_is_not_overdue(life: Life) -> None:
    job = await life.job()
    await life.regular()
    life.stage.clock.advance(20 * MINUTE)
    await life.look()
    await life.stage.core.jobs.delete(life.stage.me, job.id, None)
    await life.look()
    assert life.events() == ["opened overdue", "closed overdue"]


async def test_a_job_that_does_something_else_is_learnt_anew(life: Life) -> None:
    job = await life.job()
    await life.regular()
    await life.run(400)
    await life.stage.edit(job, data={"command": ["something", "else"]})
    for _ in range(9):
        await life.run(400)
    assert life.events() == ["opened too_slow", "closed too_slow"]
    assert (await life.listed())[0].closed_because == "The job was changed."
