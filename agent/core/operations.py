"""The core as one thing to hand to those who serve it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.core.actions.acts import Actions
from agent.core.actions.previews import Previews
from agent.core.definitions.applying import Applying
from agent.core.definitions.defining import Defining
from agent.core.definitions.drafts import Drafts
from agent.core.definitions.editing import Editing
from agent.core.definitions.revisions import Revisions
from agent.core.identity.gate import Gate
from agent.core.jobs.giving import Giving
from agent.core.jobs.history import History
from agent.core.jobs.jobs import Jobs
from agent.core.jobs.overview import Overview
from agent.core.permissions.access import Access
from agent.core.permissions.audit import Audit
from agent.core.permissions.shares import Shares
from agent.core.ports import Drivers, Executor, LogStore, Store
from agent.core.running.listing import Listing
from agent.core.running.runs import Runs
from agent.core.scheduling.catching_up import CatchingUp
from agent.core.scheduling.limits import Limits
from agent.core.world.datasets import Datasets
from agent.core.world.job_datasets import JobDatasets
from agent.core.world.secrets import Secrets
from agent.core.world.storing import Storing
from agent.core.world.syncing import Syncing
from agent.core.world.world import World
from agent.settings import Settings
from shared.clock import Clock
from shared.ids import NewId


@dataclass(frozen=True, slots=True)
class Core:
    settings: Settings
    clock: Clock
    new_id: NewId
    started_at: datetime
    store: Store
    drivers: Drivers
    executor: Executor
    logs: LogStore
    gate: Gate
    jobs: Jobs
    giving: Giving
    drafts: Drafts
    editing: Editing
    actions: Actions
    previews: Previews
    revisions: Revisions
    history: History
    overview: Overview
    applying: Applying
    defining: Defining
    limits: Limits
    storing: Storing
    runs: Runs
    datasets: Datasets
    job_datasets: JobDatasets
    listing: Listing
    syncing: Syncing
    catching_up: CatchingUp
    world: World
    secrets: Secrets
    access: Access
    shares: Shares
    audit: Audit
    failing: Callable[[], dict[str, str]]
    """The background duties whose last try failed, and why; empty when all is well."""
