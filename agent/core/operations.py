"""The core as one thing to hand to those who serve it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.core.access import Access
from agent.core.actions.acts import Actions
from agent.core.actions.previews import Previews
from agent.core.applying import Applying
from agent.core.audit import Audit
from agent.core.catching_up import CatchingUp
from agent.core.datasets import Datasets
from agent.core.defining import Defining
from agent.core.drafts import Drafts
from agent.core.editing import Editing
from agent.core.history import History
from agent.core.identity.gate import Gate
from agent.core.job_datasets import JobDatasets
from agent.core.jobs import Jobs
from agent.core.limits import Limits
from agent.core.listing import Listing
from agent.core.overview import Overview
from agent.core.ports import Drivers, Executor, LogStore, Store
from agent.core.revisions import Revisions
from agent.core.runs import Runs
from agent.core.secrets import Secrets
from agent.core.shares import Shares
from agent.core.storing import Storing
from agent.core.syncing import Syncing
from agent.core.world import World
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
