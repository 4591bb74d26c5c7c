"""Keeps the world true: loads the first pages once the first frame is painted, follows the events, loads more on demand."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from console.client import Offline, Online, Reset
from console.introductions import Introductions
from console.model import Changes, Held, Window, reduce
from console.model.job_groups import JOB_GROUPS
from console.session import ConsoleSession
from console.widgets.table.pace import CallLater, Pace
from shared.errors import JobdeckError, NotFound

if TYPE_CHECKING:
    from console.client.answers import AgentInfo
    from shared.models import Event, Job, Run

_FIRST_PAGE = 200
_RETRY = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_FEW = 20
_RECOUNT_AFTER = 1.0
_HEAVY = (
    "console.client.session",
    "console.client.runs",
    "console.client.jobs",
    "console.client.world",
    "shared.filters",
)
"""What the first frame does without; loaded in a thread so that keys are answered meanwhile."""

Sleep = Callable[[float], Awaitable[object]]


class Live:
    """One task for the line, `run()`; the screens ask for pages by `more_runs` and `more_jobs`."""

    def __init__(self, session: ConsoleSession, call_later: CallLater, sleep: Sleep = asyncio.sleep) -> None:
        self._session = session
        self._sleep = sleep
        self._pending = Changes()
        self._pace = Pace(self._publish, call_later)
        self._call_later = call_later
        self._is_loaded = False
        self._is_recounting = False
        self._is_asking_held = False
        self._is_counting_jobs = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._introductions = Introductions(session, self._spawn, self._name)

    async def run(self) -> None:
        """For ever: what happens at the agent happens to the world."""
        for module in _HEAVY:
            await asyncio.to_thread(importlib.import_module, module)
        stream = self._session.client.events()
        async for signal in stream.signals():
            match signal:
                case Online():
                    await self._online(stream.position or 0)
                case Offline():
                    world = self._session.world
                    world.link = world.link.down(self._session.now(), signal.reason, is_refused=signal.is_refused)
                    self._changed(Changes())
                case Reset():
                    await self._load(stream.position or 0)
                case _:
                    self._take(signal)

    async def more_runs(self, where: str, window: Window) -> None:
        """The next page of runs that match; JobdeckError when it cannot be had."""
        world, before, as_of = self._session.world, window.asked(), self._session.world.position
        try:
            page = await self._session.client.runs.page(where=where or None, before=before, limit=_FIRST_PAGE)
        except BaseException:
            window.failed()
            raise
        window.took(page.before)
        self._changed(world.take_runs(page.items, as_of))

    async def more_jobs(self, where: str, sort: str, window: Window) -> None:
        world, start, as_of = self._session.world, window.asked() or 0, self._session.world.position
        try:
            page = await self._session.client.jobs.page(where=where or None, sort=sort, start=start, limit=_FIRST_PAGE)
        except BaseException:
            window.failed()
            raise
        following = start + len(page.items)
        window.took(following if page.items and following < page.total else None)
        self._changed(world.take_jobs(page.items, as_of))

    async def load_run(self, key: str) -> Run:
        """One run, by number or id, for a jump to it."""
        as_of = self._session.world.position
        run = await self._session.client.runs.named(key)
        self._changed(self._session.world.take_runs([run], as_of))
        return run

    def learn(self, runs: Iterable[Run]) -> None:
        """What the agent answered to an act: known at once, before its event comes."""
        self._changed(self._session.world.take_runs(runs, self._session.world.position))

    def introduce(self, job_ids: Iterable[str]) -> None:
        """Ask for what is known of these jobs, where nothing is."""
        self._introductions.ask(job_ids)

    async def find_jobs(self, words: str) -> None:
        """The first few that have these words in their names, where not all are loaded."""
        if not self._session.world.knows_all_jobs:
            self._name((await self._session.client.jobs.page(q=words, limit=_FEW)).items)

    async def recount(self) -> None:
        """The agent's own figures, for what events alone could not tell."""
        position = self._session.world.position
        counts = await self._session.client.runs.counts()
        self._session.world.counts.seed(counts.counts, position)
        self._changed(Changes(counts=True))

    async def _online(self, position: int) -> None:
        world = self._session.world
        if not self._is_loaded:
            await self._load(position)
        else:
            world.trouble = ""  # a new stream tells first what trouble there is; an agent that died in it told no end
            self._spawn(self._ask_agent())  # it may be another one, on a machine that has slept
        world.link = world.link.up(self._session.now())
        self.introduce(())  # whoever was asked for before the line stood
        self._changed(Changes())

    async def _load(self, position: int) -> None:
        """The first pages, as often as it takes."""
        attempt = 0
        while True:
            try:
                await self._load_once(position)
            except JobdeckError as error:
                world = self._session.world
                world.link = world.link.down(self._session.now(), error.message)
                self._changed(Changes())
                await self._sleep(_RETRY[min(attempt, len(_RETRY) - 1)])
                attempt += 1
            else:
                self._is_loaded = True
                return

    async def _load_once(self, position: int) -> None:
        client, session = self._session.client, self._session
        agent, me, counts, jobs = await asyncio.gather(
            client.world.agent(),
            client.world.me(),
            client.runs.counts(),
            client.jobs.page(limit=_FIRST_PAGE, sort="name"),
        )
        self._know(agent)
        session.me = me
        pages = await asyncio.gather(
            client.runs.page(limit=_FIRST_PAGE),
            client.runs.page(where="state:failed", limit=_FIRST_PAGE),
            client.runs.page(where="state:active", limit=_FIRST_PAGE),
        )
        runs = {run.id: run for page in pages for run in page.items}
        changes = session.world.restart(runs.values(), jobs.items, position)
        session.world.counts.seed(counts.counts, position)
        session.world.job_count, session.world.job_counts = jobs.total, {}
        if me.handle:
            session.world.handles[me.user_id] = me.handle
        self._introductions.forget()
        self._count_jobs_soon()
        session.world.trouble = agent.store_trouble or ""
        changes.counts = changes.held = True
        self._changed(changes)

    def _take(self, event: Event) -> None:
        changes = reduce(self._session.world, event)
        if "counts" in changes.stale and not self._is_recounting:
            self._is_recounting = True
            self._call_later(_RECOUNT_AFTER, lambda: self._spawn(self._recount_now()))
        if "held" in changes.stale and not self._is_asking_held:
            self._is_asking_held = True
            self._call_later(_RECOUNT_AFTER, lambda: self._spawn(self._ask_held()))
        if "jobs" in changes.stale:
            self._count_jobs_soon()
        for kind in changes.stale & {"run", "job"}:
            self._spawn(self._reread(kind, event.subject_id))
        if changes:
            self._changed(changes)

    async def _recount_now(self) -> None:
        self._is_recounting = False
        await self.recount()

    def _count_jobs_soon(self) -> None:
        if not self._session.world.knows_all_jobs and not self._is_counting_jobs:
            self._is_counting_jobs = True
            self._call_later(_RECOUNT_AFTER, lambda: self._spawn(self._count_jobs()))

    async def _count_jobs(self) -> None:
        self._is_counting_jobs = False
        world, jobs = self._session.world, self._session.client.jobs
        groups = [group.where for group in JOB_GROUPS.values()]
        everything, *counted = await asyncio.gather(*(jobs.page(where=where, limit=1) for where in ("", *groups)))
        world.job_count = everything.total
        world.job_counts = dict(zip(JOB_GROUPS, (page.total for page in counted), strict=True))
        self._changed(Changes(counts=True))

    def _name(self, jobs: Iterable[Job]) -> None:
        """What is told of their runs, by tag or owner, can be told now."""
        world = self._session.world
        changes = world.take_named(jobs)
        changes.changed |= {run.id for run in world.runs.values() if run.job_id in changes.added}
        self._changed(changes)

    async def _ask_held(self) -> None:
        self._is_asking_held = False
        await self._ask_agent()

    async def _ask_agent(self) -> None:
        self._know(await self._session.client.world.agent())
        self._changed(Changes(held=True))

    def _know(self, agent: AgentInfo) -> None:
        session = self._session
        session.agent, session.skew = agent, agent.now - session.clock.now()
        session.world.held = Held(agent.held_fires, agent.held_jobs)

    async def _reread(self, kind: str, subject_id: str) -> None:
        """An event that could not be read: ask for its subject itself."""
        as_of = self._session.world.position
        if kind == "run":
            await self.load_run(subject_id)
        else:
            job = await self._session.client.jobs.get(subject_id)
            self._changed(self._session.world.take_jobs([job], as_of))

    def _changed(self, changes: Changes) -> None:
        self._pending.merge(changes)
        self._pace.request()

    def _publish(self) -> None:
        changes, self._pending = self._pending, Changes()
        self._session.publish(changes)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Awaitable[None]) -> None:
    """The line itself says what is wrong with it; what is gone needs no words."""
    try:
        await work
    except (JobdeckError, NotFound):
        return
