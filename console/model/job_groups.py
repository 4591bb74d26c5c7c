"""How jobs are told apart at a glance: in the filter language, and among those that are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.models import Job


@dataclass(frozen=True, slots=True)
class JobGroup:
    where: str
    holds: Callable[[Job], bool]


def _is_scheduled(job: Job) -> bool:
    return job.enabled and job.paused_at is None and job.next_run_at is not None


JOB_GROUPS: Mapping[str, JobGroup] = {
    "enabled": JobGroup("enabled:yes paused:no -next:none", _is_scheduled),
    "paused": JobGroup("paused:yes", lambda job: job.paused_at is not None),
    "disabled": JobGroup("enabled:no", lambda job: not job.enabled),
}
