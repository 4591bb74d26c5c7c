"""Saved views: filters with a name, shown as tabs with how many match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.model import World
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


RUN_VIEWS: Sequence[SavedView] = (
    SavedView("all", "All", "", lambda world: world.counts.total),
    SavedView("active", "Active", "state:active", _states(*map(str, ACTIVE))),
    SavedView("failed", "Failed", "state:failed", _states("failed")),
    SavedView("pending", "Pending", "state:pending", _states("pending")),
    SavedView("completed", "Done", "state:completed", _states("completed")),
    SavedView("cancelled", "Cancelled", "state:cancelled", _states("cancelled")),
)

JOB_VIEWS: Sequence[SavedView] = (
    SavedView("all", "All", "", lambda world: len(world.jobs)),
    SavedView("enabled", "Scheduled", "enabled:yes paused:no -next:none", _unknown),
    SavedView(
        "paused", "Paused", "paused:yes", lambda world: sum(job.paused_at is not None for job in world.jobs.values())
    ),
    SavedView("disabled", "Disabled", "enabled:no", lambda world: sum(not job.enabled for job in world.jobs.values())),
)

AUDIT_VIEWS: Sequence[SavedView] = (
    SavedView("all", "All", "", _unknown),
    SavedView("refused", "Refused", "outcome:refused", _unknown),
    SavedView("jobs", "Jobs", "act:~job.,draft.", _unknown),
    SavedView("runs", "Runs", "act:~run.,catch_up.", _unknown),
    SavedView("access", "Access", "act:~user.,token.,share.,account.,secret,log_in", _unknown),
)
