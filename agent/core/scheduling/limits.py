"""How close a job's fires may be, and how long its schedule may go on: one rule, whichever way the job came in.

What holds is the stricter of two: what the account may (an administrator of the agent says so), and what the contract
documents through which the job was made; that stays with the job, whoever edits it. The other limits of an account are
counts, and are kept by the store, in the transaction that adds one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.ports.limits import LimitStore
from agent.core.records import ActiveLimit
from agent.core.scheduling.firing import schedule_of
from agent.settings import Settings
from shared.durations import format_duration
from shared.errors import Fault, InvalidInput
from shared.models import AccountLimits, JobInput
from shared.schedule import Schedule
from shared.schedule.gaps import shortest_gap

KB_SYNC = "kb_sync"
"""Made through contract 000, which documents limits."""
_REPEATING = ("cron", "simple")


@dataclass(frozen=True, slots=True)
class JobLimits:
    """None: no limit."""

    min_interval: timedelta | None = None
    max_duration: timedelta | None = None

    def too_close(self, gap: timedelta) -> bool:
        return self.min_interval is not None and gap < self.min_interval

    def too_long(self, start: datetime, end: datetime) -> bool:
        """Exactly the limit is not."""
        return self.max_duration is not None and end - start > self.max_duration

    def stricter(self, other: JobLimits) -> JobLimits:
        return JobLimits(_least(self.min_interval, other.min_interval), _most(self.max_duration, other.max_duration))


class Limits:
    def __init__(self, store: LimitStore, settings: Settings) -> None:
        self._store = store
        self._of_contract = {KB_SYNC: JobLimits(settings.min_interval, settings.max_job_duration)}
        self._active = {KB_SYNC: ActiveLimit(KB_SYNC, settings.max_active_jobs)}

    def active(self, made_through: str) -> ActiveLimit | None:
        """How many jobs made so may be active in the account, besides what the account itself may have."""
        return self._active.get(made_through)

    async def of(self, account_id: str, made_through: str) -> JobLimits:
        limits = limits_of(await self._store.account_limits(account_id))
        return limits.stricter(self._of_contract.get(made_through, JobLimits()))

    async def faults(
        self, account_id: str, made_through: str, definition: JobInput, created_at: datetime
    ) -> list[Fault]:
        """Of a definition's schedule; none of one that cannot be read, which is refused as such."""
        try:
            schedule = schedule_of(definition, created_at)
        except InvalidInput:
            return []
        return list(limit_faults(schedule, await self.of(account_id, made_through), created_at))

    async def check(self, account_id: str, made_through: str, definition: JobInput, created_at: datetime) -> None:
        """InvalidInput names field, value and limit."""
        if faults := await self.faults(account_id, made_through, definition, created_at):
            raise InvalidInput(faults)


def limits_of(account: AccountLimits) -> JobLimits:
    return JobLimits(account.min_interval, account.max_job_duration)


def limit_faults(schedule: Schedule, limits: JobLimits, created_at: datetime) -> Iterator[Fault]:
    """What of the schedule is beyond the limits; its begin is `startOn`, else the job's creation."""
    spec, gap = schedule.spec, shortest_gap(schedule.spec)
    if gap is not None and limits.min_interval is not None and limits.too_close(gap):
        least = format_duration(limits.min_interval)
        message = f"fires {format_duration(gap)} apart; at least {least} must lie between two (limit min_interval)"
        yield Fault("interval", message, spec.interval, "limit")
    if limits.max_duration is None or spec.interval_type not in _REPEATING:
        return
    longest, begin = format_duration(limits.max_duration), schedule.window_start or created_at
    if schedule.window_end is None:
        yield Fault("endOn", f"is required: a schedule ends within {longest} (limit max_job_duration)", None, "limit")
    elif limits.too_long(begin, schedule.window_end):
        message = f"is more than {longest} after the begin, {begin:%Y-%m-%dT%H:%M:%SZ} (limit max_job_duration)"
        yield Fault("endOn", message, spec.end_on, "limit")


def _least(one: timedelta | None, other: timedelta | None) -> timedelta | None:
    """The greater of two least values."""
    return max((each for each in (one, other) if each is not None), default=None)


def _most(one: timedelta | None, other: timedelta | None) -> timedelta | None:
    return min((each for each in (one, other) if each is not None), default=None)
