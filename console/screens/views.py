"""Saved views: filters with a name, shown as tabs with how many match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.model import World
from console.model.job_groups import JOB_GROUPS
from shared.states import ACTIVE


@dataclass(frozen=True, slots=True)
class SavedView:
    """`where` in the filter language; `count` what the world knows of how many there are (None: not known)."""

    name: str
    title: str
    where: str
    count: Callable[[World], int | None]


def _states(*states: str) -> Callable[[World], int | None]:
    return lambda world: sum(world.counts[state] for state in states)


def _unknown(_: World) -> int | None:
    return None


def _job_group(name: str, title: str) -> SavedView:
    return SavedView(name, title, JOB_GROUPS[name].where, lambda world: world.count_jobs(name))


RUN_VIEWS: Sequence[SavedView] = (
    SavedView("all", "All", "", lambda world: world.counts.total),
    SavedView("active", "Active", "state:active", _states(*map(str, ACTIVE))),
    SavedView("failed", "Failed", "state:failed", _states("failed")),
    SavedView("pending", "Pending", "state:pending", _states("pending")),
    SavedView("completed", "Done", "state:completed", _states("completed")),
    SavedView("cancelled", "Cancelled", "state:cancelled", _states("cancelled")),
)

JOB_VIEWS: Sequence[SavedView] = (
    SavedView("all", "All", "", lambda world: world.job_count),
    _job_group("enabled", "Scheduled"),
    _job_group("paused", "Paused"),
    _job_group("disabled", "Disabled"),
)

AUDIT_VIEWS: Sequence[SavedView] = (
    SavedView("all", "All", "", _unknown),
    SavedView("refused", "Refused", "outcome:refused", _unknown),
    SavedView("jobs", "Jobs", "act:~job.,draft.", _unknown),
    SavedView("runs", "Runs", "act:~run.,catch_up.", _unknown),
    SavedView("access", "Access", "act:~user.,token.,share.,account.,secret,log_in", _unknown),
)
