"""Rows belong to ids: they wait, stay dimmed, come and go as the rules of the console say."""

from __future__ import annotations

from datetime import datetime

from console.model import Changes, KeyOrder, TriageOrder, View, Window, World, reduce, reduce_all
from console.model.order import JOB_KEYS, RUN_KEYS
from shared.models import Job, Run
from shared.states import RunState
from tests.unit.console_model.makers import NOW, event, job, run, wire


class OfState:
    """A filter by state, with the face of those that shared.filters makes."""

    def __init__(self, *states: RunState) -> None:
        self.states = states

    def matches(self, item: object, now: datetime) -> bool:
        return isinstance(item, Run) and item.state in self.states


def test_new_rows_wait_while_held() -> None:
    world, view = _world_with(run(1), run(2))
    view.hold()
    changes = reduce(world, event(1, "run.created", "run-000003", wire(run(3))))
    repaint = view.apply(changes, NOW)
    assert (list(view.rows), view.waiting, repaint.moved, repaint.ids) == (
        ["run-000002", "run-000001"],
        [world.runs["run-000003"]],
        False,
        set(),
    )
    assert view.release()
    assert (list(view.rows), view.waiting) == (["run-000003", "run-000002", "run-000001"], [])


def test_a_row_that_leaves_the_filter_stays_dimmed_until_release() -> None:
    world, view = _world_with(run(1), run(2), where=OfState(RunState.PENDING))
    view.hold()
    repaint = view.apply(_move(world, 1, run(2, RunState.RUNNING, version=2)), NOW)
    assert repaint.ids == {"run-000002"}
    assert view.is_dimmed("run-000002")
    assert not view.is_dimmed("run-000001")
    assert view.get("run-000002") == world.runs["run-000002"]
    assert list(view.rows) == ["run-000002", "run-000001"]
    assert view.waiting == []
    assert view.release()
    assert list(view.rows) == ["run-000001"]


def test_a_dimmed_row_that_comes_back_is_not_dimmed_and_does_not_wait() -> None:
    world, view = _world_with(run(1), where=OfState(RunState.PENDING, RunState.RETRYING))
    view.hold()
    view.apply(_move(world, 1, run(1, RunState.RUNNING, version=2)), NOW)
    assert view.is_dimmed("run-000001")
    view.apply(_move(world, 2, run(1, RunState.RETRYING, version=3)), NOW)
    assert not view.is_dimmed("run-000001")
    assert view.waiting == []


def test_a_forgotten_row_keeps_its_last_look_while_held() -> None:
    world, view = _world_with(run(1, RunState.COMPLETED), run(2))
    view.hold()
    last = world.runs["run-000001"]
    view.apply(Changes(removed={"run-000001": last}), NOW)
    assert view.is_dimmed("run-000001")
    assert view.get("run-000001") is last


def test_progress_repaints_one_row_and_moves_none() -> None:
    world, view = _world_with(run(1, RunState.RUNNING), run(2, RunState.RUNNING))
    data = {"runId": "run-000001", "progress": {"done": 3, "total": 9}}
    repaint = view.apply(reduce(world, event(1, "run.progress", "run-000001", data)), NOW)
    assert (repaint.ids, repaint.moved) == ({"run-000001"}, False)


def test_jobs_pass_by_a_view_of_runs() -> None:
    world, view = _world_with(run(1))
    repaint = view.apply(reduce(world, event(1, "job.created", "job-1", wire(job(1)))), NOW)
    assert (repaint.ids, repaint.moved) == (set(), False)


def test_failures_are_grouped_and_the_freshest_cause_comes_first() -> None:
    runs = [run(number, RunState.FAILED, cause=cause) for number, cause in enumerate("aabab", start=1)]
    order = TriageOrder()
    for each in runs:
        order.put(each.id, each)
    groups = [(group.cause, [int(each[-6:]) for each in group.ids]) for group in order.groups()]
    assert groups == [("b", [5, 3]), ("a", [4, 2, 1])]
    order.discard("run-000005")
    assert [group.cause for group in order.groups()] == ["a", "b"]


def test_sorting_jobs_puts_those_without_a_key_last_in_both_directions() -> None:
    jobs = {each.id: each for each in (job(1, next_run_at=NOW), job(2), job(3, next_run_at=NOW.replace(hour=9)))}
    rows = {}
    for descending in (False, True):
        order: KeyOrder[Job] = KeyOrder(JOB_KEYS["next"], descending=descending)
        rows[descending] = list(View(jobs, order, None, NOW).rows)
    assert rows == {False: ["job-3", "job-1", "job-2"], True: ["job-1", "job-3", "job-2"]}


def test_every_key_sorts_every_run() -> None:
    runs = {
        each.id: each for each in (run(1), run(2, RunState.RUNNING, started_at=NOW), run(3, RunState.FAILED, cause="x"))
    }
    for key in RUN_KEYS.values():
        order: KeyOrder[Run] = KeyOrder(key)
        assert set(View(runs, order, None, NOW).rows) == set(runs)


def test_changes_of_two_steps_are_the_change_from_first_to_last() -> None:
    world = World()
    events = [event(1, "job.created", "job-1", wire(job(1))), event(2, "job.deleted", "job-1")]
    assert not reduce_all(world, events)
    both = Changes(removed={"x": 1})
    both.merge(Changes(added={"x"}))
    assert both == Changes(changed={"x"})


def test_the_oldest_finished_runs_are_forgotten_and_nothing_else() -> None:
    world = World(limit=100)
    world.pinned = frozenset({"run-000002"})
    for number in range(1, 102):
        state = RunState.PENDING if number == 1 else RunState.COMPLETED
        changes = reduce(world, event(number, "run.created", f"run-{number:06d}", wire(run(number, state))))
    assert len(world.runs) == 95
    assert {"run-000001", "run-000002", "run-000101"} <= set(world.runs)
    assert set(changes.removed) == {f"run-{number:06d}" for number in range(3, 9)}
    assert changes.forgotten == 8


def test_a_window_asks_once_near_the_end_and_stops_at_its_limit() -> None:
    window = Window(limit=300)
    assert window.wants_more(0, 0, 0)
    assert window.asked() is None
    assert not window.wants_more(0, 0, 0)
    window.took(801)
    assert not window.wants_more(10, 200, 200)
    assert window.wants_more(150, 200, 200)
    assert window.asked() == 801
    window.took(601)
    assert not window.wants_more(299, 300, 300)
    assert window.full
    window.forgot(700)
    assert window.position == 701
    window.took(None)
    assert not window.wants_more(299, 300, 300)
    assert (window.at_end, window.full) == (True, False)
    window.forgot(20)
    assert window.wants_more(270, 280, 280)
    assert window.asked() == 21


def test_what_is_let_go_before_a_window_has_loaded_changes_nothing() -> None:
    window = Window()
    window.forgot(20)
    assert window.asked() is None


def test_an_event_that_cannot_be_read_says_what_is_stale() -> None:
    assert reduce(World(), event(1, "run.changed", "run-1", {"id": "run-1"})).stale == {"run"}


def test_a_strip_of_recent_runs_follows_the_events() -> None:
    world = World()
    world.take_jobs([job(1, recent=["completed"] * 20)], as_of=0)
    reduce(world, event(1, "run.created", "run-000001", wire(run(1))))
    assert world.jobs["job-1"].recent[-2:] == ["completed", "pending"]
    _move(world, 2, run(1, RunState.RUNNING, version=2))
    _move(world, 3, run(1, RunState.FAILED, version=3, cause="x"))
    assert world.jobs["job-1"].recent == [*["completed"] * 19, "failed"]


def test_a_reset_drops_what_is_no_longer_there() -> None:
    world, view = _world_with(run(1), run(2))
    changes = world.restart([run(2, RunState.RUNNING, version=2), run(3)], [job(1)], position=40)
    view.apply(changes, NOW)
    assert list(view.rows) == ["run-000002", "run-000003"]
    assert world.position == 40
    assert set(changes.removed) == {"run-000001"}


def _world_with(*runs: Run, where: OfState | None = None) -> tuple[World, View[Run]]:
    world = World()
    world.take_runs(runs, as_of=0)
    return world, View(world.runs, TriageOrder(), where, NOW)


def _move(world: World, number: int, moved: Run) -> Changes:
    return reduce(world, event(number, "run.changed", moved.id, wire(moved)))
