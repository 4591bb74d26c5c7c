"""From what happened to what we know: one small function for each kind of event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from console.model.changes import Changes
from console.model.world import Held, World
from shared.states import FINAL

if TYPE_CHECKING:
    from shared.models import Event

Reducer = Callable[[World, "Event", Changes], None]


def reduce(world: World, event: Event) -> Changes:
    """Take one event in; one that was taken in before changes nothing. Kinds that are not known pass by;
    one that cannot be read (an agent of another version) says that its subject is stale: `run`, `job`, `worker`."""
    changes = Changes()
    if event.id:  # one without a number is told and not stored
        if event.id <= world.position:
            return changes
        world.position = event.id
    reducer = _REDUCERS.get(event.kind)
    try:
        if reducer is not None:
            reducer(world, event, changes)
    except (ValueError, KeyError):
        changes.stale.add(event.kind.partition(".")[0])
    if not world.counts.exact and changes.counts:
        changes.stale.add("counts")
    return changes


def reduce_all(world: World, events: Iterable[Event]) -> Changes:
    """Many events as one step."""
    changes = Changes()
    for event in events:
        changes.merge(reduce(world, event))
    return changes


def _run_created(world: World, event: Event, changes: Changes) -> None:
    from shared.models import Run

    world.put_run(Run.model_validate(event.data), event.id, changes, born=True)


def _run_changed(world: World, event: Event, changes: Changes) -> None:
    from shared.models import Run

    world.put_run(Run.model_validate(event.data), event.id, changes, born=False)


def _run_progressed(world: World, event: Event, changes: Changes) -> None:
    """Progress of a run that is not loaded, or of one that is over by a newer page, is of no use."""
    from shared.models import Progress

    run = world.runs.get(event.data.get("runId", event.subject_id))
    if run is not None and run.state not in FINAL:
        progress = Progress.model_validate(event.data["progress"])
        world.put_progress(run.model_copy(update={"progress": progress}), event.id, changes)


def _run_deleted(world: World, event: Event, changes: Changes) -> None:
    world.drop_run(event.subject_id, event.id, changes)


def _run_logged(_: World, event: Event, changes: Changes) -> None:
    changes.logs[event.data.get("runId", event.subject_id)] = int(event.data.get("total", 0))


def _job_put(world: World, event: Event, changes: Changes) -> None:
    from shared.models import Job

    world.put_job(Job.model_validate(event.data), event.id, changes)


def _job_deleted(world: World, event: Event, changes: Changes) -> None:
    world.drop_job(event.subject_id, changes)


def _fire_recorded(world: World, event: Event, changes: Changes) -> None:
    """Tells when its job fires next, where that has moved."""
    changes.stale.add("fires")
    if "nextRunAt" in event.data:
        following = event.data["nextRunAt"]
        world.set_next(event.data["jobId"], datetime.fromisoformat(following) if following else None, event.id, changes)


def _sentinel_moved(world: World, event: Event, changes: Changes) -> None:
    told = event.data
    world.mark_job(told["jobId"], told["kind"], event.id, changes, is_open=told.get("closedAt") is None)


def _worker_changed(world: World, event: Event, changes: Changes) -> None:
    """Some agents tell the worker, some only its id."""
    from shared.models import Worker

    if "heartbeatAt" in event.data:
        world.put_worker(Worker.model_validate(event.data), changes)
    else:
        changes.stale.add("workers")


def _catch_up_changed(world: World, event: Event, changes: Changes) -> None:
    """Who does not see all jobs is told that something has changed, and asks how many are left to see."""
    if event.data["waiting"] is None:
        changes.stale.add("held")
        return
    world.held, changes.held = Held(int(event.data["waiting"]), int(event.data["jobs"])), True


def _agent_changed(world: World, event: Event, changes: Changes) -> None:
    world.trouble = str(event.data["reason"]) if event.data.get("store") == "refuses" else ""
    changes.stale.add("agent")


def _stale(what: str) -> Reducer:
    def mark(_: World, __: Event, changes: Changes) -> None:
        changes.stale.add(what)

    return mark


_REDUCERS: Mapping[str, Reducer] = {
    "run.created": _run_created,
    "run.changed": _run_changed,
    "run.deleted": _run_deleted,
    "run.progress": _run_progressed,
    "run.log": _run_logged,
    "job.created": _job_put,
    "job.changed": _job_put,
    "job.deleted": _job_deleted,
    "sentinel.opened": _sentinel_moved,
    "sentinel.changed": _sentinel_moved,
    "sentinel.closed": _sentinel_moved,
    "worker.changed": _worker_changed,
    "fire.recorded": _fire_recorded,
    "catch_up.changed": _catch_up_changed,
    "connection.changed": _stale("connections"),
    "knowledge_base.changed": _stale("knowledge_bases"),
    "agent.changed": _agent_changed,
}
