"""Everything the console knows of one agent. Pages and events go in through here; readers get mappings."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from console.model.changes import Changes, swap
from console.model.counts import Counts
from console.model.job_groups import JOB_GROUPS
from console.model.link import Link
from shared.states import FINAL

if TYPE_CHECKING:
    from shared.models import Job, Run, SentinelKind, Worker

T = TypeVar("T")

_KEEP_STRIP = 20
_KEEP_TOMBSTONES = 2_000


class Held(NamedTuple):
    """Missed fires that wait for an operator, and of how many jobs."""

    fires: int = 0
    jobs: int = 0


class World:
    """Runs, jobs and workers by id, the counts, the line, the position in the stream.

    Pages and events may come in any order: the higher version wins, at equal versions what was learnt later.
    `as_of` says how late a page is: the `position` that this world had when the page was asked for.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self.limit = limit
        self.position = 0
        self.counts = Counts()
        self.link = Link()
        self.held = Held()
        self.job_count = 0
        """At the agent; `jobs` may be a part of them."""
        self.job_counts: Mapping[str, int] = {}
        """By group, as the agent has counted them; it is asked where not all are loaded."""
        self.handles: dict[str, str] = {}
        """Users by id, as far as something of theirs was seen."""
        self.trouble = ""
        """Why the agent can store nothing at the moment; empty: all is well."""
        self.pinned: frozenset[str] = frozenset()
        """Runs never to forget: under the cursor, marked, opened."""
        self._runs: dict[str, Run] = {}
        self._leaving: dict[str, Run] = {}
        self._jobs: dict[str, Job] = {}
        self._others: dict[str, Job] = {}
        self._workers: dict[str, Worker] = {}
        self._touched: dict[str, int] = {}
        self._strips: dict[str, int] = {}
        self._deleted: dict[str, None] = {}
        self.runs: Mapping[str, Run] = MappingProxyType(self._runs)
        self.leaving: Mapping[str, Run] = MappingProxyType(self._leaving)
        """Those whose cancel waits on the agent and can still be undone."""
        self.jobs: Mapping[str, Job] = MappingProxyType(self._jobs)
        self.named_jobs: Mapping[str, Job] = ChainMap(self._jobs, self._others)
        """Also those that no page has brought, whose names are known all the same. A list of them would have holes."""
        self.workers: Mapping[str, Worker] = MappingProxyType(self._workers)

    def take_runs(self, page: Iterable[Run], as_of: int) -> Changes:
        """Merge a page of runs."""
        changes = Changes()
        for run in page:
            known = self._runs.get(run.id)
            if run.id in self._deleted:
                continue
            if known is None:
                self._keep(run)
                changes.added.add(run.id)
            elif self._is_news(run, known, as_of):
                self._keep(_with_estimates(run, known))
                changes.changed.add(run.id)
        return changes

    def take_jobs(self, page: Iterable[Job], as_of: int) -> Changes:
        """Merge a page of jobs; lists bring the strips of recent runs with them."""
        changes = Changes()
        for job in page:
            known = self._jobs.get(job.id)
            if job.id in self._deleted:
                continue
            self._learn_handle(job)
            if known is None:
                self._jobs[job.id] = job
                changes.added.add(job.id)
            elif self._is_news(job, known, as_of):
                self._jobs[job.id] = job if job.recent else job.model_copy(update={"recent": known.recent})
                changes.changed.add(job.id)
            self._strips[job.id] = as_of
        return changes

    def take_named(self, jobs: Iterable[Job]) -> Changes:
        """Jobs that something is of, but no list has brought."""
        new = {job.id: job for job in jobs if job.id not in self._jobs and job.id not in self._deleted}
        for job in new.values():
            self._learn_handle(job)
        self._others |= new
        return Changes(added=set(new))

    def restart(self, runs: Iterable[Run], jobs: Iterable[Job], position: int) -> Changes:
        """Begin anew at that position: what is not given is no longer known. For the start, and after a Reset."""
        fresh_runs, fresh_jobs = {run.id: run for run in runs}, {job.id: job for job in jobs}
        for job in fresh_jobs.values():
            self._learn_handle(job)
        changes = swap(self._runs, fresh_runs)
        changes.merge(swap(self._jobs, fresh_jobs))
        for old, new in ((self._runs, fresh_runs), (self._jobs, fresh_jobs)):
            old.clear()
            old.update(new)  # type: ignore[arg-type]  # each with its own kind
        self._leaving.clear()
        self._leaving.update((run.id, run) for run in fresh_runs.values() if run.cancel_due_at is not None)
        self._touched.clear()
        self._others.clear()
        self._strips = dict.fromkeys(fresh_jobs, position)
        self.position = position
        return changes

    def put_run(self, run: Run, position: int, changes: Changes, *, born: bool) -> None:
        """What event `position` says of a run."""
        known = self._runs.get(run.id)
        changes.counts |= self.counts.born(run, position) if born else self.counts.moved(known, run, position)
        if known is not None and run.version < known.version:
            return
        self._keep(run if known is None else _with_estimates(run, known))
        self._touched[run.id] = position
        (changes.added if known is None else changes.changed).add(run.id)
        self._extend_strip(known, run, position, changes)
        if len(self._runs) > self.limit:
            changes.merge(self.forget())

    def put_progress(self, run: Run, position: int, changes: Changes) -> None:
        """A run that is known, with newer progress."""
        self._runs[run.id] = run
        self._touched[run.id] = position
        changes.changed.add(run.id)

    def put_job(self, job: Job, position: int, changes: Changes) -> None:
        """What event `position` says of a job; events do not carry the strip."""
        known, knew_all = self._jobs.get(job.id), self.knows_all_jobs
        if known is not None and job.version < known.version:
            return
        self._learn_handle(job)
        self._jobs[job.id] = job if known is None else _with_what_events_leave_out(job, known)
        self._touched[job.id] = position
        (changes.added if known is None else changes.changed).add(job.id)
        self._count_anew(changes, knew_all=knew_all)

    def set_next(self, job_id: str, moment: datetime | None, position: int, changes: Changes) -> None:
        """It has fired, and fires next at that moment. What is paused or disabled is due at none."""
        job = self._jobs.get(job_id)
        if job is None or not job.enabled or job.paused_at is not None or job.next_run_at == moment:
            return
        self._jobs[job_id] = job.model_copy(update={"next_run_at": moment})
        self._touched[job_id] = position
        changes.changed.add(job_id)

    def mark_job(self, job_id: str, kind: SentinelKind, position: int, changes: Changes, *, is_open: bool) -> None:
        """A sentinel of it opened or closed; pages bring jobs with those that are open."""
        job = self._jobs.get(job_id)
        if job is None:
            return
        others = [each for each in job.sentinels if each != kind]
        self._jobs[job_id] = job.model_copy(update={"sentinels": [*others, kind] if is_open else others})
        self._touched[job_id] = position
        changes.changed.add(job_id)

    def drop_job(self, job_id: str, changes: Changes) -> None:
        knew_all = self.knows_all_jobs
        self._bury(job_id)
        self._others.pop(job_id, None)
        known = self._jobs.pop(job_id, None)
        if known is not None:
            changes.removed[job_id] = known
        self._count_anew(changes, knew_all=knew_all)

    @property
    def knows_all_jobs(self) -> bool:
        return len(self._jobs) >= self.job_count

    def count_jobs(self, group: str) -> int | None:
        """None: not all are loaded, and the agent has not counted them yet."""
        if self.knows_all_jobs:
            return sum(map(JOB_GROUPS[group].holds, self._jobs.values()))
        return self.job_counts.get(group)

    def drop_run(self, run_id: str, position: int, changes: Changes) -> None:
        self._bury(run_id)
        self._leaving.pop(run_id, None)
        known = self._runs.pop(run_id, None)
        changes.counts |= self.counts.gone(known, position)
        if known is not None:
            changes.removed[run_id] = known

    def put_worker(self, worker: Worker, changes: Changes) -> None:
        (changes.changed if worker.id in self._workers else changes.added).add(worker.id)
        self._workers[worker.id] = worker

    def forget(self, keep: Collection[str] = ()) -> Changes:
        """Let go of the oldest finished runs down to 95 % of the limit; never of active or pinned ones."""
        excess = len(self._runs) - int(self.limit * 0.95)
        old = (run for run in self._runs.values() if run.state in FINAL and run.id not in self.pinned)
        victims = sorted((run.number, run.id) for run in old if run.id not in keep)[: max(0, excess)]
        for _, run_id in victims:
            self._touched.pop(run_id, None)
        newest = max((number for number, _ in victims), default=0)
        return Changes(removed={run_id: self._runs.pop(run_id) for _, run_id in victims}, forgotten=newest)

    def _count_anew(self, changes: Changes, *, knew_all: bool) -> None:
        """A job came, went or is another. Who has them all counts them; else the agent does."""
        if knew_all:
            self.job_count = len(self._jobs)
        else:
            changes.stale.add("jobs")

    def _learn_handle(self, job: Job) -> None:
        handle, _, slug = job.natural_id.rpartition(":")
        if handle and slug:
            self.handles[job.owner_id] = handle

    def _bury(self, item_id: str) -> None:
        """Deleted: a page that is still on its way must not bring it back."""
        self._touched.pop(item_id, None)
        self._deleted[item_id] = None
        if len(self._deleted) > _KEEP_TOMBSTONES:
            del self._deleted[next(iter(self._deleted))]

    def _keep(self, run: Run) -> None:
        self._runs[run.id] = run
        if run.cancel_due_at is None:
            self._leaving.pop(run.id, None)
        else:
            self._leaving[run.id] = run

    def _is_news(self, given: Run | Job, known: Run | Job, as_of: int) -> bool:
        if given.version != known.version:
            return given.version > known.version
        return self._touched.get(given.id, 0) <= as_of and given != known

    def _extend_strip(self, old: Run | None, run: Run, position: int, changes: Changes) -> None:
        """Keep a job's strip near the truth between two pages, which bring the truth itself."""
        job = self._jobs.get(run.job_id)
        if job is None or position <= self._strips.get(job.id, 0):
            return
        recent = [*job.recent]
        if old is not None and old.state == run.state:
            return
        if old is not None and old.state in recent:
            recent[len(recent) - 1 - recent[::-1].index(old.state)] = run.state
        elif old is None:
            recent.append(run.state)
        self._jobs[job.id] = job.model_copy(update={"recent": recent[-_KEEP_STRIP:]})
        changes.changed.add(job.id)


def _with_what_events_leave_out(job: Job, known: Job) -> Job:
    return job.model_copy(update={"recent": job.recent or known.recent, "sentinels": known.sentinels})


def _with_estimates(run: Run, known: Run) -> Run:
    """Estimates come with pages, not always with events."""
    if run.expected_seconds is not None or known.expected_seconds is None:
        return run
    kept = {"expected_seconds": known.expected_seconds, "late_after_seconds": known.late_after_seconds}
    return run.model_copy(update=kept)
