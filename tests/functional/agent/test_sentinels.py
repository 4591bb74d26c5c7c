"""The four sentinels over the real store, the real scheduler and a clock that the test moves."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agent.core.jobs.explaining import explain
from agent.core.records import Fence, Outcome
from tests.functional.agent.life import Life
from tests.functional.agent.stage import HOUR, MINUTE, opened


async def test_a_run_that_takes_too_long_is_told_while_it_runs(life: Life) -> None:
    job = await life.job()
    await life.regular()
    life.stage.clock.advance(9 * MINUTE)
    await life.stage.settle()
    await life.start()
    life.stage.clock.advance(MINUTE)
    await life.look()
    assert await life.open() == []
    life.stage.clock.advance(2 * MINUTE)
    for _ in range(3):
        await life.look()
    assert life.events() == ["opened too_slow"]
    [told] = await life.listed()
    assert (told.job_id, told.job_name, told.run_id) == (job.id, "Orders", life.claimed.run.id)
    assert told.why == (
        "A run has been under way for 3m; usually it takes 1m (15 seen); more than 2m counts as too slow."
    )
    assert told.figures == {"observed": 180, "usual": 60, "limit": 120, "runs": 15}
    assert told.since == life.claimed.run.started_at + 2 * MINUTE  # type: ignore[operator]
    await life.end(60)
    await life.run()
    assert await life.open() == ["too_slow"]
    await life.run()
    assert life.events() == ["opened too_slow", "closed too_slow"]
    [told] = await life.listed(is_open=False)
    assert told.closed_because == "The last 2 runs took as long as usual."


async def test_a_run_that_was_over_too_soon(life: Life) -> None:
    await life.job()
    await life.regular()
    await life.run(2)
    [told] = await life.listed()
    assert (told.kind, told.run_id) == ("too_fast", life.claimed.run.id)
    assert told.why == "A run was over in 2s; usually it takes 1m (15 seen); less than 12s counts as too fast."
    await life.run()
    await life.run()
    assert life.events() == ["opened too_fast", "closed too_fast"]


async def test_flapping(life: Life) -> None:
    await life.job()
    await life.regular(12)
    for number in range(7):
        assert await life.open() == []
        await life.run(60, "completed" if number % 2 else "failed")
    assert await life.open() == ["flapping"]
    [told] = await life.listed()
    assert "changed 7 times in the last 12 runs, 4 of which failed" in told.why
    await life.regular(12)
    assert life.events() == ["opened flapping", "closed flapping"]


async def test_a_fire_whose_run_does_not_end_is_overdue(life: Life) -> None:
    """No worker takes the run: it waits, and nothing comes."""
    await life.job()
    await life.regular()
    life.stage.clock.advance(10 * MINUTE)
    await life.stage.settle()
    await life.look()
    assert await life.open() == []
    life.stage.clock.advance(5 * MINUTE)
    for _ in range(3):
        await life.look()
    assert life.events() == ["opened overdue"]
    [told] = await life.listed()
    assert told.why == (
        f"The run due at {told.since:%Y-%m-%d %H:%M:%SZ} has not ended (one is pending); usually one ends 1m after its "
        "moment (14 seen), and after 3m it counts as overdue."
    )
    await life.start()
    await life.end(30)
    assert life.events() == ["opened overdue", "closed overdue"]
    assert (await life.listed())[0].closed_because.startswith("A run ended at ")  # type: ignore[union-attr]


async def test_a_job_without_a_schedule_that_is_usually_asked_for_is_missed(life: Life) -> None:
    job = await life.job(interval_type="none", interval=None)
    drawn = random.Random(3)
    for _ in range(15):
        life.stage.clock.advance(HOUR * drawn.uniform(0.9, 1.1))
        await life.stage.core.jobs.run_now(life.stage.me, job.id)
        await life.start()
        await life.end(5)
    life.stage.clock.advance(1.5 * HOUR)
    await life.look()
    assert await life.open() == []
    life.stage.clock.advance(HOUR)
    await life.look()
    [told] = await life.listed()
    assert told.kind == "overdue"
    assert told.why.startswith("No run has ended since ")
    assert "later (14 seen), and after 2h" in told.why


async def test_a_new_job_is_left_in_peace(life: Life) -> None:
    await life.job()
    for seconds in (60, 600, 1, 60, 3, 400):
        await life.run(seconds, "failed" if seconds == 3 else "completed")
    assert life.told == []


async def test_irregular_jobs_without_a_schedule_are_not_missed(life: Life) -> None:
    job = await life.job(interval_type="none", interval=None)
    drawn = random.Random(5)
    for _ in range(40):
        life.stage.clock.advance(HOUR * drawn.expovariate(1))
        await life.stage.core.jobs.run_now(life.stage.me, job.id)
        await life.start()
        await life.end(5)
    life.stage.clock.advance(50 * HOUR)
    await life.look()
    assert life.told == []


async def test_the_agents_settings_are_the_default_and_a_job_may_say_otherwise(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", sentinels=["flapping"], sentinel_least_runs=5) as stage:
        life = Life(stage)
        await life.job()
        for _ in range(6):
            await life.run()
        await life.run(400)
        assert life.told == []
    async with opened(tmp_path / "other", sentinels=["flapping"], sentinel_least_runs=5) as stage:
        life = Life(stage)
        await life.job(policies={"sentinels": {"watch": ["too_slow"]}})
        for _ in range(6):
            await life.run()
        await life.run(400)
        assert life.events() == ["opened too_slow"]


@pytest.mark.parametrize("policy", [{"watch": ["loud"]}, {"tolerance": 0}, {"least_runs": 1}, {"loud": True}])
async def test_a_policy_that_cannot_be_is_refused_by_name(life: Life, policy: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"sentinels\.{next(iter(policy))}"):
        await life.job(policies={"sentinels": policy})


async def test_tolerance_leaves_more_room(life: Life) -> None:
    await life.job(policies={"sentinels": {"tolerance": 4}})
    await life.regular()
    await life.run(280)
    assert life.told == []
    await life.run(310)
    assert life.events() == ["opened too_slow"]


async def test_what_stays_so_for_a_day_is_the_habit(life: Life) -> None:
    await life.job(interval="0 * * * *")
    for _ in range(15):
        await life.run(wait=HOUR)
    for _ in range(26):
        await life.run(600, wait=HOUR)
    assert life.events() == ["opened too_slow", "closed too_slow"]
    assert (await life.listed())[0].closed_because == "It has become usual: a run takes about 10m now."
    await life.run(600, wait=HOUR)
    assert await life.open() == []


async def test_explain_says_it(life: Life) -> None:
    job = await life.job()
    await life.regular()
    await life.run(400)
    stage = life.stage
    found = await explain(stage.agent.sql, stage.core.drivers, job, stage.clock.now())
    assert [each.kind for each in found.sentinels] == ["too_slow"]
    [sentence] = [each for each in found.sentences if "slow" in each]
    assert sentence.startswith("It is too slow since 2026-03-02 ")
    assert "A run took 6m 40s; usually it takes 1m" in sentence


async def test_acknowledging_is_told_once_and_stays_the_first_ones(life: Life) -> None:
    await life.job()
    await life.regular()
    await life.run(400)
    [told], store, now = await life.listed(), life.stage.agent.sql, life.stage.clock.now()
    known = await store.acknowledge_sentinel("default", told.id, "anna", now)
    again = await store.acknowledge_sentinel("default", told.id, "bert", now + HOUR)
    assert (known.acknowledged_by, again.acknowledged_by, again.acknowledged_at) == ("anna", "anna", now)
    assert life.events() == ["opened too_slow", "changed too_slow"]
    assert await store.count_open_sentinels("default") == {("too_slow", True): 1}


async def test_many_steady_jobs_and_one_that_is_not(life: Life) -> None:
    """Batches: what ended in one look, of many jobs at once, each judged from its own history."""
    clock, store, me = life.stage.clock, life.stage.agent.sql, life.stage.me
    jobs = [await life.job(f"Job {number}", interval_type="none", interval=None) for number in range(12)]
    for turn in range(14):
        clock.advance(HOUR)
        for job in jobs:
            await life.stage.core.jobs.run_now(me, job.id)
        claimed = await store.claim([f"w{n}" for n in range(len(jobs))], "bench", clock.now() + HOUR, clock.now())
        started = clock.now()
        clock.advance(10 * MINUTE)
        await store.finish(
            [
                Outcome(
                    Fence(each.run.id, each.run.attempt, each.run.worker_id or ""), "completed",
                    started + (10 * MINUTE if turn == 13 and each.run.job_id == jobs[7].id else 2 * MINUTE),
                )
                for each in claimed
            ],
            clock.now(),
        )  # fmt: skip
    await life.look()
    assert [(each.job_name, each.kind) for each in await life.listed()] == [("Job 7", "too_slow")]


async def test_a_look_at_quiet_jobs_asks_three_questions(life: Life) -> None:
    await life.job()
    await life.regular()
    asked: list[str] = []
    sql = life.stage.agent.sql
    for engine in (sql._writer._engine, sql._readers.engine):
        sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    life.stage.clock.advance(MINUTE)
    await life.look()
    assert [statement.split()[0] for statement in asked if not statement.startswith("BEGIN")] == ["SELECT"] * 3
