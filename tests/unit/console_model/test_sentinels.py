"""What the console knows of jobs that behave unlike themselves."""

from __future__ import annotations

from console.model.reduce import reduce
from console.model.world import World
from shared.models import Event
from tests.unit.console_model.makers import event, job, wire


def told(number: int, kind: str, what: str = "too_slow", job_id: str = "job-1") -> Event:
    closed = "2026-03-01T12:00:00Z" if kind == "closed" else None
    data = {"jobId": job_id, "kind": what, "closedAt": closed}
    return event(number, f"sentinel.{kind}", f"s-{number}", data)


def world() -> World:
    made = World()
    made.restart([], [job(1), job(2, sentinels=["overdue"])], 10)
    return made


def test_a_job_is_marked_while_a_sentinel_of_it_is_open() -> None:
    made = world()
    assert reduce(made, told(11, "opened")).changed == {"job-1"}
    reduce(made, told(12, "opened", "flapping"))
    reduce(made, told(13, "changed"))
    assert made.jobs["job-1"].sentinels == ["flapping", "too_slow"]
    reduce(made, told(14, "closed"))
    assert made.jobs["job-1"].sentinels == ["flapping"]


def test_an_event_of_the_job_leaves_the_mark() -> None:
    made = world()
    changed = job(2, version=2, description="new")
    reduce(made, event(11, "job.changed", "job-2", wire(changed)))
    assert (made.jobs["job-2"].description, made.jobs["job-2"].sentinels) == ("new", ["overdue"])


def test_a_page_that_was_asked_for_later_knows_better_and_an_older_one_does_not() -> None:
    made = world()
    reduce(made, told(20, "opened"))
    made.take_jobs([job(1)], as_of=15)
    assert made.jobs["job-1"].sentinels == ["too_slow"]
    made.take_jobs([job(1)], as_of=20)
    assert made.jobs["job-1"].sentinels == []


def test_a_job_that_is_not_loaded_is_left_alone() -> None:
    made = world()
    assert reduce(made, told(11, "opened", job_id="job-9")).changed == set()
