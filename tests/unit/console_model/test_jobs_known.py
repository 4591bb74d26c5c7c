"""Of many jobs a part is loaded: what is counted, and by what name the others go."""

from __future__ import annotations

from console.model import World, reduce
from tests.unit.console_model.makers import NOW, event, job, wire


def _world(there: int, *loaded: int) -> World:
    world = World()
    world.restart([], [job(number) for number in loaded], 0)
    world.job_count = there
    return world


def test_who_has_them_all_counts_them() -> None:
    world = _world(2, 1, 2)
    changes = reduce(world, event(1, "job.created", job(3).id, wire(job(3))))
    assert (world.job_count, world.count_jobs("paused"), changes.stale) == (3, 0, set())
    paused = job(3).model_copy(update={"paused_at": NOW, "version": 2})
    reduce(world, event(2, "job.changed", paused.id, wire(paused)))
    assert (world.job_count, world.count_jobs("paused")) == (3, 1)
    reduce(world, event(3, "job.deleted", paused.id, {"id": paused.id}))
    assert (world.job_count, world.count_jobs("paused")) == (2, 0)


def test_who_has_a_part_asks_the_agent_and_says_nothing_until_it_answers() -> None:
    world = _world(1000, 1, 2)
    assert world.count_jobs("paused") is None
    changes = reduce(world, event(1, "job.created", job(3).id, wire(job(3))))
    assert "jobs" in changes.stale
    assert world.job_count == 1000
    world.job_counts = {"paused": 7}
    assert world.count_jobs("paused") == 7


def test_a_job_known_by_name_is_in_no_list() -> None:
    world = _world(1000, 1)
    assert world.take_named([job(1), job(9)]).added == {job(9).id}
    assert job(9).id in world.named_jobs
    assert job(9).id not in world.jobs
    reduce(world, event(1, "job.deleted", job(9).id, {"id": job(9).id}))
    assert job(9).id not in world.named_jobs
    assert not world.take_named([job(9)]).added, "an answer that was on its way does not bring it back"


def test_owners_are_called_by_their_handles() -> None:
    world = _world(1000)
    world.take_named([job(9).model_copy(update={"owner_id": "u-1", "natural_id": "anna:nightly"})])
    assert world.handles["u-1"] == "anna"
