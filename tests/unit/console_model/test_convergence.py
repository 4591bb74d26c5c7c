"""Whatever the order in which pages and events arrive, the console ends up with what is true at the agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model import TriageOrder, View, World, reduce
from shared.models import Event, Job, Progress, Run, RunError
from shared.states import FINAL, MOVES, RunState
from tests.harness.long import examples
from tests.unit.console_model.makers import NOW, event, job, run, wire

RANK = {RunState.RUNNING: 0, RunState.RETRYING: 1, RunState.PENDING: 2}


@dataclass
class Asked:
    """A page on its way: how much the console knew when it asked, and what the agent answered."""

    as_of: int
    runs: list[Run] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)


class Play:
    """An agent with its truth, a console with its world, and between them pages and events under way."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.jobs: dict[str, Job] = {}
        self.history: list[Event] = []
        self.born = 0
        self.heard = 0
        self.pages: list[Asked] = []
        self.world = World()
        self.world.counts.seed({}, 0)
        self.view: View[Run] = View(self.world.runs, TriageOrder(), None, NOW)

    def a_run_is_born(self, _: int) -> None:
        if len(self.runs) < 5:
            self.born += 1
            born = run(self.born)
            self.runs[born.id] = born
            self._tell("run.created", born)

    def a_run_moves(self, chance: int) -> None:
        movable = [each for each in self.runs.values() if MOVES[each.state]]
        if not movable:
            return
        old = movable[chance % len(movable)]
        states = sorted(MOVES[old.state])
        new = states[chance // 7 % len(states)]
        error = (
            RunError(kind="k", message="m", fingerprint="ab "[chance % 3].strip()) if new is RunState.FAILED else None
        )
        update = {"state": new, "version": old.version + 1, "error": error, "progress": Progress()}
        self.runs[old.id] = old.model_copy(update=update)
        self._tell("run.changed", self.runs[old.id])

    def a_run_is_deleted(self, chance: int) -> None:
        ended = [each for each in self.runs.values() if each.state in FINAL]
        if ended:
            gone = self.runs.pop(ended[chance % len(ended)].id)
            self.history.append(
                event(len(self.history) + 1, "run.deleted", gone.id, {"id": gone.id, "jobId": gone.job_id})
            )

    def a_run_progresses(self, chance: int) -> None:
        running = [each for each in self.runs.values() if each.state is RunState.RUNNING]
        if not running:
            return
        old = running[chance % len(running)]
        self.runs[old.id] = old.model_copy(update={"progress": Progress(done=chance, total=100)})
        data = {"runId": old.id, "progress": {"done": chance, "total": 100}}
        self.history.append(event(len(self.history) + 1, "run.progress", old.id, data))

    def a_job_changes(self, chance: int) -> None:
        """A job that was deleted never comes back under its id."""
        job_id = f"job-{chance % 3}"
        known = self.jobs.get(job_id)
        if known and chance > 75:
            del self.jobs[job_id]
            self.history.append(event(len(self.history) + 1, "job.deleted", job_id))
        elif known or not any(each.subject_id == job_id for each in self.history):
            fresh = job(chance % 3, version=known.version + 1 if known else 1, name=f"At {len(self.history)}")
            self.jobs[job_id] = fresh
            self._tell("job.changed" if known else "job.created", fresh)

    def the_console_asks(self, _: int) -> None:
        self.pages.append(Asked(self.world.position))

    def the_agent_answers(self, chance: int) -> None:
        if self.pages:
            page = self.pages[chance % len(self.pages)]
            page.runs, page.jobs = list(self.runs.values()), list(self.jobs.values())

    def the_page_arrives(self, chance: int) -> None:
        if self.pages:
            page = self.pages.pop(chance % len(self.pages))
            self.view.apply(self.world.take_runs(page.runs, page.as_of), NOW)
            self.view.apply(self.world.take_jobs(page.jobs, page.as_of), NOW)

    def events_arrive(self, chance: int) -> None:
        for each in self.history[self.heard : self.heard + chance % 4 + 1]:
            before, jobs = dict(self.world.runs), dict(self.world.jobs)
            self.view.apply(reduce(self.world, each), NOW)
            self.heard = each.id
            self._check_that_nothing_goes_back(before)
            assert all(known.version >= jobs[key].version for key, known in self.world.jobs.items() if key in jobs)

    def events_arrive_again_after_a_cut(self, chance: int) -> None:
        for each in self.history[max(0, self.heard - chance % 4) : self.heard]:
            assert not reduce(self.world, each)

    def somebody_looks(self, _: int) -> None:
        self.view.hold()

    def somebody_looks_away(self, _: int) -> None:
        self.view.release()
        assert list(self.view.rows) == sorted_by_the_book(dict(self.world.runs))

    def everything_arrives(self) -> None:
        """First the rest of the events, then what is left of the pages: the latter are old by then."""
        self.view.release()
        while self.heard < len(self.history):
            self.events_arrive(3)
        while self.pages:
            self.the_page_arrives(0)

    def _check_that_nothing_goes_back(self, before: dict[str, Run]) -> None:
        """A page may have run ahead of the events: what they say late must not be seen."""
        for run_id, known in before.items():
            if self.history[self.heard - 1].kind == "run.deleted" and run_id not in self.world.runs:
                continue
            now_known = self.world.runs[run_id]
            assert now_known.version >= known.version
            assert now_known == known or known.state not in FINAL

    def _tell(self, kind: str, resource: Run | Job) -> None:
        self.history.append(event(len(self.history) + 1, kind, resource.id, wire(resource)))


def sorted_by_the_book(runs: dict[str, Run]) -> list[str]:
    """Active on top, then failures by cause, then the rest: written down without any cleverness."""
    active = sorted((each for each in runs.values() if each.state in RANK), key=lambda r: (RANK[r.state], -r.number))
    failed = [each for each in runs.values() if each.state is RunState.FAILED]
    newest: dict[str, int] = {}
    for each in failed:
        newest[_cause(each)] = max(newest.get(_cause(each), 0), each.number)
    failed.sort(key=lambda r: (-newest[_cause(r)], -r.number))
    rest = [each for each in runs.values() if each.state in {RunState.COMPLETED, RunState.CANCELLED}]
    rest.sort(key=lambda r: -r.number)
    return [each.id for each in [*active, *failed, *rest]]


def _cause(failed: Run) -> str:
    assert failed.error is not None
    return failed.error.fingerprint or f"{failed.error.kind}:{failed.job_id}"


ACTS = (
    Play.a_run_is_born, Play.a_run_moves, Play.a_run_moves, Play.a_run_progresses, Play.a_run_is_deleted,
    Play.a_job_changes,
    Play.the_console_asks, Play.the_agent_answers, Play.the_agent_answers, Play.the_page_arrives,
    Play.events_arrive, Play.events_arrive, Play.events_arrive_again_after_a_cut,
    Play.somebody_looks, Play.somebody_looks_away,
)  # fmt: skip


@examples(60)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 99)), min_size=30, max_size=150))
def test_any_interleaving_ends_in_the_truth(acts: list[tuple[Callable[[Play, int], None], int]]) -> None:
    play = Play()
    for act, chance in acts:
        act(play, chance)
    play.everything_arrives()
    assert dict(play.world.runs) == play.runs
    assert dict(play.world.jobs).keys() == play.jobs.keys()
    assert all(play.world.jobs[key].name == each.name for key, each in play.jobs.items())
    assert list(play.view.rows) == sorted_by_the_book(play.runs)
    if play.world.counts.exact:
        states = [each.state for each in play.runs.values()]
        assert [play.world.counts[state] for state in RunState] == [states.count(state) for state in RunState]


def test_counts_stay_exact_when_only_events_arrive() -> None:
    world = World()
    world.counts.seed({"completed": 7}, 0)
    for number in range(1, 4):
        reduce(world, event(number, "run.created", f"run-{number:06d}", wire(run(number))))
    moved = run(2, RunState.RUNNING, version=2)
    reduce(world, event(4, "run.changed", moved.id, wire(moved)))
    assert world.counts.exact
    assert [world.counts[state] for state in ("completed", "pending", "running")] == [7, 2, 1]
    assert world.counts.total == 10


def test_a_deleted_run_goes_from_lists_and_counts_and_no_late_page_brings_it_back() -> None:
    world = World()
    ended = run(1, RunState.COMPLETED, version=3)
    world.take_runs([ended], as_of=0)
    world.counts.seed({"completed": 7}, 0)
    changes = reduce(world, event(1, "run.deleted", ended.id, {"id": ended.id, "jobId": ended.job_id}))
    assert (set(changes.removed), changes.counts, world.counts["completed"]) == ({ended.id}, True, 6)
    assert not world.take_runs([ended], as_of=0)
    assert "counts" in reduce(world, event(2, "run.deleted", "run-9", {"id": "run-9", "jobId": "job-1"})).stale


@pytest.mark.parametrize("position", [0, 5])
def test_a_page_older_than_an_event_does_not_undo_it(position: int) -> None:
    world = World()
    running = run(1, RunState.RUNNING, version=2)
    world.take_runs([running], as_of=0)
    reduce(world, event(5, "run.progress", running.id, {"runId": running.id, "progress": {"done": 5, "total": 10}}))
    world.take_runs([running], as_of=position)
    assert world.runs[running.id].progress.done == (0 if position == 5 else 5)
