"""Fires that are decided in the second before they are due: what is done to a job until then counts all the same."""

from __future__ import annotations

from datetime import timedelta

from agent.services.scheduler import Scheduler
from shared.models import Job
from tests.functional.agent.stage import MINUTE, NOON, Stage

SHORTLY = timedelta(milliseconds=600)


async def test_what_is_done_to_a_job_in_the_last_moment_counts(stage: Stage) -> None:
    names = (
        "left", "paused", "resumed", "disabled", "deleted", "skipping", "queueing", "replacing", "allowing", "edited",
        "renamed",
    )  # fmt: skip
    overlaps = {"queueing": "queue_one", "replacing": "cancel_running", "allowing": "allow"}
    jobs = {name: await stage.minutely(name, overlaps.get(name, "skip")) for name in names}
    foreseen = await _foresee(stage)
    assert foreseen.keys() == {job.id for job in jobs.values()}

    await stage.core.jobs.pause(stage.me, jobs["paused"].id)
    await stage.core.jobs.pause(stage.me, jobs["resumed"].id)
    await stage.core.jobs.resume(stage.me, jobs["resumed"].id)
    await stage.edit(jobs["disabled"], enabled=False)
    await stage.core.jobs.delete(stage.me, jobs["deleted"].id, None)
    await stage.edit(jobs["edited"], interval="*/5 * * * *")
    await stage.edit(jobs["renamed"], name="called otherwise")
    for name in ("skipping", "queueing", "replacing", "allowing"):
        await stage.core.jobs.run_now(stage.me, jobs[name].id)
    await stage.tick(SHORTLY)

    fates = {name: await stage.fates(job) for name, job in jobs.items()}
    assert fates == {
        "left": ["started on_time"],
        "paused": [],  # told as one span when it goes on
        "resumed": ["started on_time"],
        "disabled": [],
        "deleted": [],
        "skipping": ["skipped overlap_active"],
        "queueing": ["started queued_behind"],
        "replacing": ["started replaced_running"],
        "allowing": ["started on_time"],
        "edited": [],
        "renamed": ["started on_time"],
    }
    assert await _used(stage, foreseen, jobs) == {"left"}


async def test_nothing_foreseen_is_stored_before_its_moment_wherever_the_clock_is_set(stage: Stage) -> None:
    job = await stage.minutely()
    foreseen = await _foresee(stage)
    stage.clock.set_wall(NOON + timedelta(seconds=30))
    await stage.settle()
    assert await stage.fires(job) == []
    await stage.tick(timedelta(seconds=29))
    assert await stage.fires(job) == []
    await stage.tick(timedelta(seconds=1))
    assert await stage.fates(job) == ["started on_time"]
    assert await _used(stage, foreseen, {"it": job}) == {"it"}


async def test_what_was_foreseen_is_forgotten_when_its_moment_is_long_over(stage: Stage) -> None:
    job = await stage.minutely(policies={"catch_up": {"mode": "none"}})
    foreseen = await _foresee(stage)
    stage.clock.set_wall(NOON + 10 * MINUTE + timedelta(seconds=1))
    await stage.settle()
    assert await stage.fates(job) == [*["missed catch_up_none"] * 9, "started on_time"]
    assert await _used(stage, foreseen, {"it": job}) == set()


async def test_a_job_that_comes_after_the_look_ahead_fires_with_the_others(stage: Stage) -> None:
    first = await stage.minutely("first")
    foreseen = await _foresee(stage)
    second = await stage.minutely("second")
    await stage.tick(SHORTLY)
    assert [await stage.fates(job) for job in (first, second)] == [["started on_time"]] * 2
    assert await _used(stage, foreseen, {"first": first, "second": second}) == {"first"}


async def _foresee(stage: Stage) -> dict[str, str | None]:
    """Look shortly before the next minute; what runs the jobs would get, by their ids."""
    stage.clock.advance(MINUTE - SHORTLY)
    await stage.settle()
    foreseen = stage.duty(Scheduler)._foreseen
    assert foreseen is not None
    assert foreseen.moment == NOON + MINUTE
    return {each.job_id: each.rows[0].run.id if each.rows[0].run else None for each in foreseen.settled}


async def _used(stage: Stage, foreseen: dict[str, str | None], jobs: dict[str, Job]) -> set[str]:
    """Of which jobs the ledger has what was foreseen."""
    return {
        name
        for name, job in jobs.items()
        if any(fire.run_id is not None and fire.run_id == foreseen.get(job.id) for fire in await stage.fires(job))
    }
