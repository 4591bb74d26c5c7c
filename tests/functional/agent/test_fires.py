"""What becomes of due moments, with the real store: overlap, catch-up, pause, edits, windows, the clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.services.scheduler import Scheduler
from shared.clock import ManualClock
from shared.models import RunError
from tests.functional.agent.stage import HOUR, MINUTE, NOON, Bench, Stage, opened


@pytest.mark.parametrize(
    ("overlap", "second"),
    [
        ("skip", "skipped overlap_active"),
        ("queue_one", "started queued_behind"),
        ("queue_all", "started queued_behind"),
        ("cancel_running", "started replaced_running"),
        ("allow", "started on_time"),
    ],
)
async def test_a_second_fire_goes_by_the_overlap_policy(stage: Stage, overlap: str, second: str) -> None:
    job = await stage.minutely(overlap=overlap)
    await stage.tick()
    [running] = await stage.claim()
    await stage.tick()
    assert await stage.fates(job) == ["started on_time", second]
    asked = (await stage.runs(job))[0].cancel_requested_at is not None
    assert asked == (overlap == "cancel_running")
    started_beside_it = await stage.claim()
    assert len(started_beside_it) == (1 if overlap == "allow" else 0)
    await stage.complete(running)
    assert len(await stage.work_off()) == (0 if overlap in ("allow", "skip") else 1)


async def test_queue_one_holds_one_and_queue_all_a_hundred(stage: Stage) -> None:
    one, many = await stage.minutely("one", "queue_one"), await stage.minutely("many", "queue_all")
    await stage.tick()
    await stage.claim(2)
    for _ in range(102):
        await stage.tick()
    assert (await stage.fates(one)).count("started queued_behind") == 1
    fates = await stage.fates(many)
    assert fates.count("started queued_behind") == 100
    assert fates[-2:] == ["skipped overlap_queue_full"] * 2


async def test_runs_by_hand_queue_behind_an_active_one_also_of_a_disabled_job(stage: Stage) -> None:
    job = await stage.job(enabled=False)
    first, second = [await stage.core.jobs.run_now(stage.me, job.id) for _ in range(2)]
    [claimed] = await stage.claim(2)
    assert claimed.run.id == first.id
    assert (await stage.core.runs.get(stage.me, second.id)).waiting_for == "an older run of this job"
    await stage.complete(claimed)
    assert [run.id for run in await stage.work_off()] == [second.id]


async def test_runs_by_hand_run_beside_each_other_where_overlap_is_allowed(stage: Stage) -> None:
    job = await stage.job(policies={"overlap": "allow"})
    for _ in range(2):
        await stage.core.jobs.run_now(stage.me, job.id)
    assert len(await stage.claim(2)) == 2


@pytest.mark.parametrize(
    ("mode", "fates"),
    [
        ("latest", ["missed outside_catch_up_window", *["coalesced stands_for_later"] * 58, "started caught_up"]),
        ("all", ["missed outside_catch_up_window", "started caught_up", *["held awaiting_turn"] * 58]),
        ("none", ["missed catch_up_none", *["missed catch_up_none"] * 59]),
    ],
)
async def test_moments_of_a_downtime(tmp_path: Path, mode: str, fates: list[str]) -> None:
    """The agent was away for three hours; the window is one."""
    async with opened(tmp_path / "data") as before:
        policies = {"overlap": "allow", "catch_up": {"mode": mode, "window": "1 hour"}}
        job = await before.job(interval_type="cron", interval="* * * * *", policies=policies)
    async with opened(tmp_path / "data", ManualClock(NOON + 3 * HOUR + timedelta(seconds=30))) as after:
        await after.settle()
        # the two moments of the last minute are looked at in time
        assert (await after.fates(job))[:-1] == fates
        assert (await after.fires(job))[0].count == 120
        runs = [run for run in await after.runs(job) if run.cause == "catch_up"]
        first = await after.claim(50)
        assert sum(claimed.run.cause == "catch_up" for claimed in first) == min(1, len(runs))


async def test_caught_up_runs_of_all_jobs_are_spread_over_time(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as before:
        jobs = [await before.minutely(f"job {number}") for number in range(5)]
    late = NOON + HOUR + timedelta(seconds=30)
    async with opened(tmp_path / "data", ManualClock(late), catch_up_rate=60) as after:
        await after.settle()
        caught_up = [run for job in jobs for run in await after.runs(job) if run.cause == "catch_up"]
        starts = sorted((run.available_at - late).total_seconds() for run in caught_up)
        assert starts == [0, 1, 2, 3, 4]
        await after.tick(HOUR)
        again = [run for job in jobs for run in await after.runs(job) if run.cause == "catch_up"][-1]
        assert again.available_at <= after.clock.now() + timedelta(seconds=5), "an old backlog delays nothing new"


async def test_a_moment_looked_at_within_a_minute_is_on_time(stage: Stage) -> None:
    job = await stage.job(interval_type="cron", interval="0 * * * *", policies={"catch_up": {"mode": "none"}})
    await stage.tick(HOUR + timedelta(seconds=60))
    await stage.work_off()
    await stage.tick(HOUR + timedelta(milliseconds=1))
    assert await stage.fates(job) == ["started on_time", "missed catch_up_none"]


async def test_a_pause_is_one_row_with_its_count_and_the_job_fires_again(stage: Stage) -> None:
    job = await stage.minutely()
    await stage.core.jobs.pause(stage.me, job.id)
    await stage.tick(10 * MINUTE)
    resumed = await stage.core.jobs.resume(stage.me, job.id)
    [row] = await stage.fires(job)
    assert (row.outcome, row.reason, row.count) == ("paused", "job_paused", 10)
    assert resumed.next_run_at == stage.clock.now() + MINUTE
    await stage.tick()
    assert (await stage.fates(job))[-1] == "started on_time"


async def test_a_moment_that_was_due_before_the_pause_still_runs(stage: Stage) -> None:
    job = await stage.minutely()
    stage.clock.advance(MINUTE + timedelta(seconds=1))
    await stage.core.jobs.pause(stage.me, job.id)
    assert await stage.fates(job) == ["started on_time"]


async def test_a_disabled_job_that_was_paused_and_resumed_has_no_fires(stage: Stage) -> None:
    job = await stage.minutely()
    await stage.edit(job, enabled=False)
    await stage.tick(HOUR)
    await stage.core.jobs.pause(stage.me, job.id)
    await stage.tick(HOUR)
    await stage.core.jobs.resume(stage.me, job.id)
    assert await stage.fires(job) == []
    assert await stage.runs(job) == []


async def test_a_pause_after_thousands_of_missed_moments_stays_a_pause(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as before:
        policies = {"catch_up": {"mode": "none", "window": "1 day"}}
        job = await before.job(interval_type="simple", interval="10 seconds", policies=policies)
    async with opened(tmp_path / "data", ManualClock(NOON + 10 * HOUR)) as after:
        await after.agent.sql.set_paused(job.id, NOON + 9 * HOUR, job.next_run_at, after.clock.now())
        await after.core.jobs.resume(after.me, job.id)
        rows = await after.agent.sql.list_fires(job.account_id, job_id=job.id, outcome="paused")
        assert [row.count for row in rows] == [361]
        await after.settle()
        assert await after.runs(job) == []


async def test_a_changed_schedule_while_paused_keeps_the_row_of_the_old_one(stage: Stage) -> None:
    job = await stage.minutely()
    await stage.core.jobs.pause(stage.me, job.id)
    stage.clock.advance(10 * MINUTE)
    await stage.edit(job, interval="*/5 * * * *")
    stage.clock.advance(10 * MINUTE)
    await stage.core.jobs.resume(stage.me, job.id)
    assert [fire.count for fire in await stage.fires(job)] == [10, 2]


async def test_pausing_and_resuming_twice_changes_nothing(stage: Stage) -> None:
    job = await stage.minutely()
    first = await stage.core.jobs.pause(stage.me, job.id)
    assert (await stage.core.jobs.pause(stage.me, job.id)).version == first.version
    second = await stage.core.jobs.resume(stage.me, job.id)
    assert (await stage.core.jobs.resume(stage.me, job.id)).version == second.version


async def test_edits_never_fire_again(stage: Stage) -> None:
    job = await stage.minutely(overlap="allow")
    await stage.tick()
    for changes in ({"description": "new"}, {"timezone": "Europe/Berlin"}, {"interval": "*/2 * * * *"},
                    {"interval_type": "simple", "interval": "1 minute"}, {"timezone": "UTC"}):  # fmt: skip
        job = await stage.edit(job, None, **changes)
        await stage.settle()
    assert await stage.fates(job) == ["started on_time"]


async def test_moments_while_disabled_are_no_fires(stage: Stage) -> None:
    job = await stage.minutely()
    job = await stage.edit(job, enabled=False)
    await stage.tick(HOUR)
    job = await stage.edit(job, description="edited while disabled")
    await stage.edit(job, enabled=True)
    await stage.settle()
    assert await stage.fires(job) == []
    await stage.tick()
    assert await stage.fates(job) == ["started on_time"]


async def test_the_pending_run_keeps_the_revision_that_fired_it(stage: Stage) -> None:
    job = await stage.minutely()
    await stage.tick()
    await stage.edit(job, data={"command": ["false"]})
    [claimed] = await stage.claim()
    assert claimed.definition.data["command"] == ["true"]


async def test_after_the_window_nothing_starts(stage: Stage) -> None:
    end = (NOON + timedelta(seconds=90)).isoformat()
    job = await stage.minutely(end_on=end, policies={"jitter": "50 s"})
    await stage.tick()
    [run] = await stage.runs(job)
    assert NOON + MINUTE < run.available_at <= NOON + MINUTE + timedelta(seconds=50)
    assert await stage.claim() == []
    await stage.tick()
    assert await stage.claim() == []
    assert await stage.fates(job) == ["skipped window_closed"]
    assert [run.state for run in await stage.runs(job)] == ["cancelled"]
    by_hand = await stage.core.jobs.run_now(stage.me, job.id)
    assert [claimed.run.id for claimed in await stage.claim()] == [by_hand.id]


async def test_a_clock_set_back_fires_nothing_twice(stage: Stage) -> None:
    job = await stage.minutely(overlap="allow")
    for _ in range(5):
        await stage.tick()
    stage.clock.set_wall(NOON)
    for _ in range(5):
        await stage.tick()
    assert len(await stage.fires(job)) == 5
    await stage.tick()
    assert len(await stage.fires(job)) == 6


async def test_a_clock_set_forward_makes_misses(stage: Stage) -> None:
    job = await stage.minutely(policies={"catch_up": {"mode": "none"}})
    stage.clock.set_wall(NOON + 10 * MINUTE + timedelta(seconds=1))
    await stage.settle()
    assert await stage.fates(job) == [*["missed catch_up_none"] * 9, "started on_time"]


async def test_one_schedule_that_cannot_be_read_stops_no_other(stage: Stage) -> None:
    broken, sound = await stage.minutely("broken"), await stage.minutely("sound")
    stage.sql("UPDATE jobs SET definition = replace(definition, '* * * * *', 'x * * * *') WHERE id = :id", id=broken.id)
    for _ in range(3):
        await stage.tick()
        await stage.work_off()
    assert await stage.fates(sound) == ["started on_time"] * 3
    assert await stage.fires(broken) == []
    told = (await stage.core.jobs.explain(stage.me, broken.id)).sentences
    assert "cannot be read" in told[0]
    assert "interval" in told[0]
    rest = await stage.duty(Scheduler).poll()
    assert rest > 0, "it does not look at the broken one without end"


async def test_a_schedule_that_can_be_read_again_goes_on_where_it_stopped(stage: Stage) -> None:
    job = await stage.minutely(policies={"catch_up": {"mode": "all"}})
    text = "UPDATE jobs SET definition = replace(definition, :old, :new)"
    stage.sql(text, old="* * * * *", new="x * * * *")
    await stage.tick()
    stage.sql(text, old="x * * * *", new="* * * * *")
    await stage.tick(2 * HOUR)
    assert len(await stage.fires(job)) == 121


@pytest.mark.parametrize("state", ["disabled", "paused", "enabled", "broken"])
async def test_new_zone_data_recomputes_and_fires_nothing_itself(tmp_path: Path, state: str) -> None:
    async with opened(tmp_path / "data") as before:
        job = await before.minutely(overlap="allow", enabled=state != "disabled")
        sound = await before.minutely("sound", "allow")
        if state == "paused":
            await before.core.jobs.pause(before.me, job.id)
        before.sql("UPDATE jobs SET zone_data_version = '1999a'")
        if state == "broken":
            broken = "UPDATE jobs SET definition = replace(definition, '* * * * *', 'x * * * *') WHERE id = :id"
            before.sql(broken, id=job.id)
    async with opened(tmp_path / "data", ManualClock(NOON + HOUR)) as after:
        await after.settle()
        assert (await after.fates(job))[-1:] == (["started on_time"] if state == "enabled" else [])
        assert (await after.fates(sound))[-1:] == ["started on_time"]
        if state == "paused":
            await after.core.jobs.resume(after.me, job.id)
            assert [fire.count for fire in await after.fires(job)] == [60]


async def test_runs_of_a_deleted_job(stage: Stage) -> None:
    """What waits is cancelled; what runs may finish, and is not tried again."""
    job = await stage.minutely(overlap="queue_one")
    await stage.tick()
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    await stage.tick()
    await stage.core.jobs.delete(stage.me, job.id, None)
    running, waiting = await stage.runs(job)
    assert (running.state, waiting.state) == ("running", "cancelled")
    error = RunError(kind="exit_status", message="exit status 75", transient=True, fingerprint="x")
    await stage.end(bench.orders["w"], "w", "failed", error)
    assert (await stage.runs(job))[0].state == "failed"
