"""The composition root: the only file that knows everybody."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from fastapi import FastAPI

from agent.api.app import create_api
from agent.api.serving import Listener, serve
from agent.core.access import Access
from agent.core.actions.acts import Actions
from agent.core.actions.previews import Previews
from agent.core.applying import Applying
from agent.core.audit import Audit
from agent.core.brake import Brake
from agent.core.catching_up import CatchingUp
from agent.core.checking import Checking
from agent.core.datasets import Datasets
from agent.core.defining import Defining
from agent.core.drafts import Drafts
from agent.core.editing import Editing
from agent.core.firing import Firing
from agent.core.granting import Granting
from agent.core.history import History
from agent.core.identity.gate import Gate, local_caller
from agent.core.job_datasets import JobDatasets
from agent.core.jobs import Jobs
from agent.core.listing import Listing
from agent.core.operations import Core
from agent.core.ordering import Ordering
from agent.core.overview import Overview
from agent.core.pace import Pace
from agent.core.page_keys import PageKeys
from agent.core.ports import Executor
from agent.core.promising import Promising
from agent.core.revisions import Revisions
from agent.core.runs import Runs
from agent.core.sentinels.patience import Patience
from agent.core.shares import Shares
from agent.core.syncing import Syncing
from agent.core.world import World
from agent.drivers.registry import DriverRegistry
from agent.resources.blobs import FileBlobStore
from agent.resources.connections.sources import SqlSources
from agent.resources.datasets.client import FileSnapshots
from agent.resources.definitions import DefinitionsFolder
from agent.resources.issuer_keys import issuer_keys
from agent.resources.kept_secret import PAGE_KEYS_FILE, kept_secret
from agent.resources.knowledge.client import KnowledgeReader
from agent.resources.logs import FileLogStore
from agent.resources.vault import FileKeyVault
from agent.services.canceller import Canceller
from agent.services.catch_up import CatchUp
from agent.services.definitions import Definitions
from agent.services.delayed_canceller import DelayedCanceller
from agent.services.dispatcher import Dispatcher
from agent.services.poller import Poller
from agent.services.rescuer import Rescuer
from agent.services.retention import Retention
from agent.services.roster import Roster
from agent.services.scheduler import Scheduler
from agent.services.sealer import Sealer
from agent.services.sentinel import Sentinels
from agent.services.snapshots import SnapshotWatch
from agent.services.supervisor import Supervisor
from agent.settings import Settings
from agent.store import STORE_FILE, SqlStore, open_store
from agent.store.lock import StoreLock, take_lock
from agent.workers.pool import LocalExecutor
from agent.workers.previewing import ProcessPreviewer
from shared.clock import Clock, SystemClock
from shared.errors import NotFound, Unavailable
from shared.ids import NewId, new_id
from shared.places import socket_path

_log = structlog.get_logger()


@dataclass(slots=True)
class Agent:
    """An opened agent. `start` makes it work and answer; `stop` ends all of it; both may be left out."""

    settings: Settings
    core: Core
    api: FastAPI
    reader: KnowledgeReader
    logs: FileLogStore
    duties: list[Poller]
    supervisor: Supervisor
    dispatcher: Dispatcher
    rescuer: Rescuer
    lock: StoreLock
    sql: SqlStore
    listener: Listener | None = None
    works: bool = False
    closed: bool = False

    async def start(self, *, idle: bool = False) -> None:
        """Rescue what an agent before left, then work, then listen: whoever gets an answer gets a true one.
        `idle`: answer only, fire and run nothing; then the reader of knowledge bases comes with the first question."""
        if not idle:
            await self.reader.start()
        rescued = 0 if idle else await self._start_work()
        self.listener = await serve(self.api, self.settings, socket_path(self.settings.data_dir))
        _log.info("agent_started", url=self.listener.url, socket=str(self.listener.socket), rescued_runs=rescued)

    async def _start_work(self) -> int:
        rescued = await self.rescuer.rescue_predecessors()
        self.works = True
        await self.core.executor.start(self.supervisor.hear, self.supervisor.end, self.dispatcher.take_back)
        for duty in self.duties:
            duty.start()
        return rescued

    async def stop(self) -> None:
        """No new work, then the runs under way get `stop_grace`, then everything is closed; nothing is left half-written."""
        if self.listener is not None:
            await self.listener.stop()
        try:
            if self.works:
                await self._stop_work()
        finally:
            await self.close()
        _log.info("agent_stopped")

    async def _stop_work(self) -> None:
        """The supervisor last: what running work says until its end is still heard."""
        starting = [duty for duty in self.duties if duty is not self.supervisor]
        await asyncio.gather(*(duty.stop() for duty in starting))
        self.supervisor.hurry()
        await self.core.executor.stop(self.settings.stop_grace.total_seconds())
        with suppress(Unavailable):  # the next agent finds them without a worker
            await self.dispatcher.store_ends()
        await self.supervisor.stop()

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        await self.reader.stop()
        self.logs.close()
        await self.sql.close()
        self.lock.release()


async def open_agent(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: NewId = new_id,
    rng: random.Random | None = None,
    maintenance: bool = False,
) -> Agent:
    """Open the data directory and put the agent together; Conflict if another agent holds it.
    `maintenance` is what others are told who ask for it meanwhile."""
    clock, rng = clock or SystemClock(), rng or random.Random()  # noqa: S311  (spreads load, guards nothing)
    data_dir = _prepare(settings.data_dir)
    lock = take_lock(data_dir / STORE_FILE, clock, "maintenance" if maintenance else "agent")
    try:
        store = await open_store(data_dir / STORE_FILE, clock=clock, new_id=ids)
    except BaseException:
        lock.release()
        raise
    try:
        return await _put_together(settings, data_dir, lock, store, clock, ids, rng)
    except BaseException:
        await store.close()
        lock.release()
        raise


async def _put_together(
    settings: Settings, data_dir: Path, lock: StoreLock, store: SqlStore, clock: Clock, ids: NewId, rng: random.Random
) -> Agent:
    user_id = await _local_user(store, settings, clock, ids)
    keys_of = partial(issuer_keys, allowed=settings.allow_private_addresses)
    local = local_caller(settings.account, user_id, settings.owner)
    gate = Gate(store, clock, ids, local, settings, keys_of)
    drivers, sources = DriverRegistry(), SqlSources(data_dir)
    vault = FileKeyVault(data_dir, store, clock)
    reader = KnowledgeReader(data_dir / "knowledge", secret_of=vault.get)
    logs = FileLogStore(data_dir / "logs", clock)
    agent_id = ids()
    executor: Executor = LocalExecutor(
        size=settings.workers,
        data_dir=data_dir,
        agent_id=agent_id,
        clock=clock,
        new_id=ids,
        recycle_after=settings.runs_per_worker,
        lease=settings.lease.total_seconds(),
        preload=[drivers.get("command").entry],
    )
    snapshots = FileSnapshots(data_dir / "datasets")
    granting = Granting(store, vault, sources, reader, settings.smtp, snapshots=snapshots)
    blobs = FileBlobStore(settings.data_dir / "blobs", clock.now)
    pace = Pace(clock, settings.catch_up_rate)
    firing = Firing(clock, ids, rng, pace)
    brake = Brake(store, firing, settings.catch_up_threshold)
    promising = Promising(drivers)
    supervisor = Supervisor(store, clock, executor, logs, drivers, promising, settings, rng)
    ordering = Ordering(store, drivers, granting, blobs, settings)
    dispatcher = Dispatcher(
        store, clock, executor, ordering, promising, supervisor.watch, supervisor.forget, settings, agent_id, rng
    )
    scheduler = Scheduler(store, clock, firing, brake)
    catch_up = CatchUp(store, clock, ids, pace, settings.workers)
    rescuer = Rescuer(store, clock, executor, drivers, rng, agent_id, supervisor.watches, settings.lease)
    roster, retention = Roster(store, clock, executor), Retention(store, logs, blobs, clock, settings)
    sealer, delayed_canceller = Sealer(logs), DelayedCanceller(store, clock)
    patience = Patience(frozenset(settings.sentinels), settings.sentinel_tolerance, settings.sentinel_least_runs)
    snapshot_watch = SnapshotWatch(store, snapshots)
    sentinels = Sentinels(store, clock, ids, patience)
    duties: list[Poller] = [
        supervisor, scheduler, catch_up, dispatcher, delayed_canceller, rescuer, roster, sealer, retention,
        sentinels, snapshot_watch,
    ]  # fmt: skip
    hearing = (scheduler, catch_up, dispatcher, delayed_canceller, roster, sealer, snapshot_watch, Canceller(executor))
    for duty in hearing:
        store.subscribe(duty.hear)
    store.ride(dispatcher.ride)
    for wake in (dispatcher.wake, roster.wake):
        executor.on_idle(wake)
    jobs = Jobs(store, clock, ids, drivers, Checking(drivers, granting, blobs), firing, brake)
    drafts = Drafts(store, jobs, clock, ids)
    applying = Applying(store, jobs, clock, ids)
    folder = DefinitionsFolder(settings.definitions_dir) if settings.definitions_dir else None
    access, editing = Access(store), Editing(jobs, drafts)
    defining = Defining(store, jobs, applying, clock, folder, settings.definitions_account or settings.account)
    if folder is not None:
        duties.append(Definitions(defining, folder.root))
    world = World(store, vault, sources, reader, granting, clock, ids)
    core = Core(
        settings=settings,
        clock=clock,
        started_at=clock.now(),
        store=store,
        drivers=drivers,
        executor=executor,
        logs=logs,
        gate=gate,
        jobs=jobs,
        drafts=drafts,
        editing=editing,
        actions=Actions(editing, jobs, blobs),
        previews=Previews(editing, store, logs, drivers, blobs, ProcessPreviewer(), settings.smtp),
        datasets=Datasets(store, snapshots, access, jobs, clock, ids),
        job_datasets=JobDatasets(editing, access),
        revisions=Revisions(store, jobs, clock),
        history=History(store, clock),
        overview=Overview(store, drivers),
        applying=applying,
        defining=defining,
        runs=Runs(store, logs, clock, ids, settings.undo_delay),
        listing=Listing(store, PageKeys(kept_secret(data_dir / PAGE_KEYS_FILE))),
        catching_up=CatchingUp(store, clock, settings),
        world=world,
        syncing=Syncing(store, jobs, world, drivers, clock, ids),
        access=Access(store),
        shares=Shares(store, drivers, clock),
        audit=Audit(store, clock),
        failing=lambda: {type(duty).__name__: duty.failing for duty in duties if duty.failing},
    )
    return Agent(
        settings=settings,
        core=core,
        api=create_api(core),
        reader=reader,
        logs=logs,
        duties=duties,
        supervisor=supervisor,
        dispatcher=dispatcher,
        rescuer=rescuer,
        lock=lock,
        sql=store,
    )


def settle_memory() -> None:
    """What a started agent is made of stays: the collector need not look through it again and again, a tenth of a second
    each time in which nothing else moves. For a process that is an agent and nothing else."""
    gc.collect()
    gc.freeze()


def _prepare(data_dir: Path) -> Path:
    """The data directory belongs to the agent's user alone: it holds credentials and what jobs have read."""
    data_dir.mkdir(parents=True, exist_ok=True)
    os.chmod(data_dir, 0o700)  # noqa: PTH101  (Path.chmod follows links all the same)
    return data_dir


async def _local_user(store: SqlStore, settings: Settings, clock: Clock, ids: NewId) -> str:
    named = (settings.account, settings.anonymous_account, settings.definitions_account)
    accounts = {account for account in named if account}
    for account in sorted(accounts):
        try:
            await store.find_owner(account)
        except NotFound:
            await store.ensure_account(account, ids(), settings.owner, clock.now())
    return (await store.find_owner(settings.account))[0]
