"""Jobs that go beyond what their account may by now: a lowered limit leaves them alone until somebody edits them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.core.scheduling.firing import schedule_of
from agent.core.scheduling.limits import JobLimits, limit_faults, limits_of
from agent.store.inspection import StoreInspection
from agent.store.written import read_definition
from agent.upkeep.findings import Finding, warning
from shared.errors import InvalidInput, Unreadable

_NONE = JobLimits()


def check_limits(store: StoreInspection) -> Iterator[Finding]:
    limits = {account: limits_of(each) for account, each in store.limits().items()}
    if all(each == _NONE for each in limits.values()):
        return
    for job in store.jobs():
        held = limits.get(job["account_id"], _NONE)
        for message in _beyond(job, held) if job["enabled"] and held != _NONE else ():
            sentence = f"job '{job['name']}' goes on, though it is beyond its account's limits: {message}"
            yield warning("limits", sentence, f"edit the job, or: jobdeck account limit {job['account_id']}")


def _beyond(job: Any, limits: JobLimits) -> Iterator[str]:
    try:
        schedule = schedule_of(read_definition(job["definition"], job["type"]), job["created_at"])
    except (InvalidInput, Unreadable):
        return
    yield from (f"{fault.field} {fault.message}" for fault in limit_faults(schedule, limits, job["created_at"]))
