"""Fires decided ahead, in the quiet moments before they are due: where many are due at once, each starts the sooner.

Nothing is there before its time. What was decided is applied to a job only if it is due at just that moment, with the
version that it had, and if no run of it is active: then the rules, asked at the moment itself, say the same. All else is
left to them: jobs with active runs, with more than one moment to settle, and those that cannot be settled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.core.records import DueJob, SettledJob
from agent.core.scheduling.firing import Firing

_PUNCTUAL = timedelta(seconds=1)
"""Later than that after the moment, all is decided anew."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What becomes of the fires of one moment, as of that moment."""

    moment: datetime
    settled: list[SettledJob]

    def is_at_hand(self, now: datetime) -> bool:
        """Not before its time, whatever was done to the clock, and not long after it."""
        return self.moment <= now < self.moment + _PUNCTUAL


def foresee(firing: Firing, jobs: Iterable[DueJob], moment: datetime) -> list[SettledJob]:
    decided = (_decide(firing, job, moment) for job in jobs if _stands_alone(job, moment))
    return [replace(each, foreseen_for=moment) for each in decided if each is not None and _is_plain(each, moment)]


def _stands_alone(due: DueJob, moment: datetime) -> bool:
    return due.job.next_run_at == moment and due.paused_since is None and not due.active and not due.catching_up


def _decide(firing: Firing, due: DueJob, moment: datetime) -> SettledJob | None:
    try:
        return firing.settle(due, moment)
    except Exception:  # told when it is due: it may have been mended by then
        return None


def _is_plain(settled: SettledJob, moment: datetime) -> bool:
    return [row.fire_at for row in settled.rows] == [moment] and not settled.cancel_running
