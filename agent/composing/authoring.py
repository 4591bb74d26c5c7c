"""The ways in which a definition comes to be: by a request, as a draft, from a file, from the folder."""

from __future__ import annotations

from dataclasses import dataclass

from agent.composing.execution import Execution
from agent.composing.ground import Ground
from agent.composing.resources import Resources
from agent.composing.scheduling import Scheduling
from agent.core.definitions.applying import Applying
from agent.core.definitions.checking import Checking
from agent.core.definitions.defining import Defining
from agent.core.definitions.drafts import Drafts
from agent.core.definitions.editing import Editing
from agent.core.jobs.giving import Giving
from agent.core.jobs.jobs import Jobs
from agent.core.permissions.audit import Audit
from agent.core.scheduling.limits import Limits


@dataclass(frozen=True, slots=True)
class Authoring:
    jobs: Jobs
    giving: Giving
    drafts: Drafts
    editing: Editing
    applying: Applying
    defining: Defining
    limits: Limits
    audit: Audit


def make_authoring(ground: Ground, resources: Resources, execution: Execution, scheduling: Scheduling) -> Authoring:
    settings, store, clock, ids = ground.settings, ground.store, ground.clock, ground.ids
    checking = Checking(execution.drivers, execution.granting, resources.blobs)
    limits, audit = Limits(store, settings), Audit(store, clock)
    jobs = Jobs(store, clock, ids, execution.drivers, checking, scheduling.firing, scheduling.brake, limits, audit)
    drafts, applying = Drafts(store, jobs, clock, ids), Applying(store, jobs, audit, clock, ids)
    account = settings.definitions_account or settings.account
    defining = Defining(store, jobs, applying, clock, resources.definitions, account)
    giving = Giving(store, checking, clock)
    return Authoring(jobs, giving, drafts, Editing(jobs, drafts), applying, defining, limits, audit)
