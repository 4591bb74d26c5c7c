"""All that an operator can do, as one thing for those who serve it."""

from __future__ import annotations

from collections.abc import Callable

from agent.composing.authoring import Authoring
from agent.composing.execution import Execution
from agent.composing.ground import Ground
from agent.composing.resources import Resources
from agent.core.actions.acts import Actions
from agent.core.actions.previews import Previews
from agent.core.definitions.revisions import Revisions
from agent.core.identity.gate import Gate
from agent.core.jobs.history import History
from agent.core.jobs.overview import Overview
from agent.core.operations import Core
from agent.core.permissions.access import Access
from agent.core.permissions.shares import Shares
from agent.core.running.listing import Listing
from agent.core.running.page_keys import PageKeys
from agent.core.running.runs import Runs
from agent.core.scheduling.catching_up import CatchingUp
from agent.core.world.datasets import Datasets
from agent.core.world.job_datasets import JobDatasets
from agent.core.world.secrets import Secrets
from agent.core.world.syncing import Syncing
from agent.core.world.world import World
from agent.resources.kept_secret import PAGE_KEYS_FILE, kept_secret
from agent.workers.previewing import ProcessPreviewer


def make_core(
    ground: Ground,
    resources: Resources,
    execution: Execution,
    authoring: Authoring,
    gate: Gate,
    failing: Callable[[], dict[str, str]],
) -> Core:
    settings, store, clock, ids = ground.settings, ground.store, ground.clock, ground.ids
    drivers, logs, blobs = execution.drivers, resources.logs, resources.blobs
    jobs, editing, access = authoring.jobs, authoring.editing, Access(store)
    world = World(store, resources.vault, resources.sources, resources.reader, execution.granting, clock, ids)
    return Core(
        settings=settings,
        clock=clock,
        new_id=ids,
        started_at=clock.now(),
        store=store,
        drivers=drivers,
        executor=execution.executor,
        logs=logs,
        gate=gate,
        jobs=jobs,
        giving=authoring.giving,
        drafts=authoring.drafts,
        editing=editing,
        applying=authoring.applying,
        defining=authoring.defining,
        limits=authoring.limits,
        storing=resources.storing,
        actions=Actions(editing, jobs, blobs, resources.storing),
        previews=Previews(editing, store, logs, drivers, blobs, ProcessPreviewer(), settings.smtp),
        revisions=Revisions(store, jobs, clock),
        history=History(store, clock),
        overview=Overview(store, drivers),
        runs=Runs(store, logs, clock, ids, settings.undo_delay),
        datasets=Datasets(store, resources.snapshots, access, jobs, clock, ids),
        job_datasets=JobDatasets(editing, access),
        listing=Listing(store, PageKeys(kept_secret(ground.data_dir / PAGE_KEYS_FILE))),
        syncing=Syncing(store, jobs, world, drivers, clock, ids),
        catching_up=CatchingUp(store, clock, settings),
        world=world,
        secrets=Secrets(store, resources.vault, gate.admins),
        access=access,
        shares=Shares(store, drivers, clock),
        audit=authoring.audit,
        failing=failing,
    )
