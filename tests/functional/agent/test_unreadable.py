"""A definition that cannot be read, as a newer Jobdeck or a damaged row leaves it: one job's trouble, and nobody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agent.core.permissions.callers import Scope
from agent.upkeep.doctor import examine
from shared.errors import Forbidden, Unreadable
from shared.models.applying import GivenDefinition
from shared.states import RunState
from tests.functional.agent.stage import MINUTE, Bench, Stage, definition

DAMAGE = {
    "newer": "json_set(definition, '$.policies', json('{\"overlap\": \"someday\"}'))",
    "unknown": "json_set(definition, '$.cosmic', 1)",
    "no object": "'[]'",
    "cut off": "substr(definition, 1, 20)",
}
damaged = pytest.mark.parametrize("how", DAMAGE)


def damage(stage: Stage, how: str, name: str, *tables: str) -> None:
    for table in tables or ("jobs", "job_revisions"):
        key = "number" if table == "jobs" else "job_number"
        which = f"{key} = (SELECT number FROM jobs WHERE name = :name)"
        stage.sql(f"UPDATE {table} SET definition = {DAMAGE[how]} WHERE {which}", name=name)


@damaged
async def test_its_run_fails_with_the_cause_and_those_beside_it_begin(stage: Stage, how: str) -> None:
    broken, sound = await stage.job("broken"), await stage.job("sound")
    runs = [await stage.core.jobs.run_now(stage.me, job.id) for job in (broken, sound)]
    damage(stage, how, "broken")
    bench = stage.man(Bench("w1", "w2"))
    await stage.dispatch()
    assert [order.run_id for order in bench.orders.values()] == [runs[1].id]
    failed = await stage.core.runs.get(stage.me, runs[0].id)
    assert (failed.state, failed.error.kind, failed.error.transient) == (RunState.FAILED, "not_startable", False)
    assert "revision 1: its definition cannot be read" in failed.error.message
    assert failed.error.message.endswith("publish the job anew")


async def test_what_it_was_at_is_rescued(stage: Stage) -> None:
    """By the next agent, which cannot read what the one before it wrote."""
    broken = await stage.job("broken", policies={"on_lost": "retry", "retry": {"attempts": 3}})
    run = await stage.core.jobs.run_now(stage.me, broken.id)
    await stage.claim()
    damage(stage, "newer", "broken")
    stage.man(Bench("w1"))
    stage.clock.advance(MINUTE * 2)
    await stage.agent.rescuer.poll()
    assert (await stage.core.runs.get(stage.me, run.id)).state is RunState.FAILED


@damaged
async def test_others_fire_and_all_are_listed(stage: Stage, how: str) -> None:
    broken, sound = await stage.minutely("broken"), await stage.minutely("sound")
    damage(stage, how, "broken")
    await stage.tick()
    assert await stage.fates(sound) == ["started on_time"]
    found, total = await stage.core.jobs.list(stage.me)
    assert ([job.name for job in found], total) == (["broken", "sound"], 2)
    if how != "unknown":  # what only this Jobdeck does not know can be shown all the same
        assert found[0].unreadable.startswith("its definition cannot be read")
        assert await stage.fates(broken) == []
        said = await stage.core.jobs.explain(stage.me, broken.id)
        assert "so it does not fire" in said.sentences[0]
    with pytest.raises(Unreadable):
        await stage.core.jobs.definition(found[0])


@damaged
async def test_it_does_not_run_by_hand_and_says_why(stage: Stage, how: str) -> None:
    """Where no more can be read of it than that, its run fails with the cause, as above."""
    broken, sound = await stage.job("broken"), await stage.job("sound")
    damage(stage, how, "broken")
    asked = [stage.core.jobs.run_now(stage.me, job.id) for job in (broken, sound, broken)]
    refused, run, _ = await asyncio.gather(*asked, return_exceptions=True)
    assert run.state is RunState.PENDING
    if how in ("no object", "cut off"):
        assert isinstance(refused, Unreadable)
        assert "its definition cannot be read" in refused.message


@damaged
async def test_it_is_paused_and_resumed_and_says_which_revision_it_is(stage: Stage, how: str) -> None:
    """As the definitions folder does with a job whose file is gone."""
    broken = await stage.minutely("broken")
    damage(stage, how, "broken")
    paused = await stage.core.jobs.pause(stage.me, broken.id)
    assert paused.paused_at is not None
    resumed = await stage.core.jobs.resume(stage.me, broken.id)
    assert (resumed.paused_at, resumed.next_run_at) == (None, broken.next_run_at)
    with pytest.raises(Unreadable, match="revision 1: its definition"):
        await stage.core.revisions.list(stage.me, broken.id, None, 10)


@damaged
async def test_it_is_published_anew(stage: Stage, how: str) -> None:
    broken = await stage.minutely("broken")
    damage(stage, how, "broken")
    given = {"name": "broken", "type": "command", "data": {"command": "true"}, "interval": "* * * * *"}
    applied = await stage.core.applying.apply(stage.me, [GivenDefinition(source="a.toml", definition=given)])
    assert [(item.act, item.faults) for item in applied.items] == [("replace", [])]
    await stage.tick(timedelta(minutes=1))
    assert await stage.fates(broken) == ["started on_time"]


async def test_who_may_run_no_programs_does_not_replace_what_may_have_been_one(stage: Stage) -> None:
    broken = await stage.job("broken")
    damage(stage, "cut off", "broken")
    other = definition("broken", type="snapshot-cleanup", data={"keep": 3})
    with pytest.raises(Forbidden):
        await stage.core.jobs.replace(stage.without(Scope.CODE), broken.id, other, None)
    await stage.core.jobs.delete(stage.me, broken.id, None)


async def test_the_doctor_names_it_and_what_to_do(stage: Stage) -> None:
    await stage.job("broken")
    past = await stage.job("past")
    run = await stage.core.jobs.run_now(stage.me, past.id)
    damage(stage, "newer", "past", "job_revisions")
    await stage.core.jobs.replace(stage.me, past.id, definition("past"), None)
    damage(stage, "cut off", "broken")
    found = [each for each in examine(stage.path, stage.clock).findings if each.check == "definitions"]
    assert run.revision == 1
    assert sorted(each.sentence.partition(":")[0] for each in found) == [
        "job 'broken'",
        "job 'past' has runs to come of revision 1",
    ]
    assert all(each.severity == "error" and each.remedy for each in found)
