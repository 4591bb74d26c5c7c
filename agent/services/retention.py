"""Keeps what grows without end within its bounds: runs and their logs, the ledger, events, credentials that
open nothing any more, uploaded contents, the store's file.

Each poll does one small thing, then rests as long as it took, at least: whatever else is to be written goes between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from agent.core.ports import Blobs, LogStore, Store
from agent.core.records import OldRows
from agent.services.poller import Poller
from agent.settings import Settings
from shared.clock import Clock

AT_ONCE = 100
"""Rows deleted in one transaction: a hundredth of a second of the writer's time."""
BLOB_GRACE = timedelta(hours=1)
_LOOK_EVERY = 60.0
_BETWEEN = 0.01

_Look = Callable[[int, datetime, int], Awaitable[OldRows]]
_Delete = Callable[[Sequence[int]], Awaitable[int]]


class Retention(Poller):
    def __init__(self, store: Store, logs: LogStore, blobs: Blobs, clock: Clock, settings: Settings) -> None:
        super().__init__()
        self._blobs = blobs
        self._blobs_due = clock.monotonic()
        self._store = store
        self._logs = logs
        self._clock = clock
        self._settings = settings
        self._runs = _Pass(store.old_runs, store.delete_runs, settings.keep_runs_per_job)
        self._fires = _Pass(store.old_fires, store.delete_fires, settings.keep_runs_per_job)

    async def poll(self) -> float:
        began = self._clock.monotonic()
        if await self._do_something():
            return max(_BETWEEN, self._clock.monotonic() - began)
        return _LOOK_EVERY

    async def _do_something(self) -> bool:
        """True if there may be more to do. Logs of deleted runs first: those that an agent before left, too."""
        now, keep = self._clock.now(), self._settings
        return (
            await self._delete_logs()
            or await self._runs.step(now - keep.keep_runs_for)
            or await self._fires.step(now - keep.keep_fires_for)
            or await self._delete_surplus()
            or await self._store.prune_events(keep.keep_events, now - keep.keep_events_for) > 0
            or await self._delete_credentials(now)
            or await self._store.prune_audit(now - keep.keep_audit_for, keep.keep_refusals) > 0
            or await self._store.give_back_space()
            or await self._delete_blobs()
            or self._start_over()
        )

    async def _delete_logs(self) -> bool:
        gone = await self._store.gone_runs(AT_ONCE)
        if gone:
            await self._logs.delete(gone)
            await self._store.forget_gone_runs(gone)
        return bool(gone)

    async def _delete_credentials(self, now: datetime) -> bool:
        """Tokens stay for a while after their end: so the list, and the record of who was refused, say whose it was."""
        dead = await self._store.dead_tokens(now - self._settings.keep_tokens_for, AT_ONCE)
        if dead:
            await self._store.delete_tokens(dead)
        return bool(dead) or await self._store.prune_sessions(now, now - self._settings.session_idle) > 0

    async def _delete_blobs(self) -> bool:
        """Contents that no revision and no draft names; not those of the last hour, which somebody may be about to."""
        if self._clock.monotonic() < self._blobs_due:
            return False
        self._blobs_due = self._clock.monotonic() + BLOB_GRACE.total_seconds()
        before = self._clock.now() - BLOB_GRACE
        if await self._blobs.unnamed(frozenset(), before):
            await self._blobs.delete(await self._blobs.unnamed(await self._store.named_blobs(), before))
        return False

    async def _delete_surplus(self) -> bool:
        surplus = await self._store.surplus_runs(self._settings.keep_runs, AT_ONCE)
        return bool(surplus) and await self._store.delete_runs(surplus) > 0

    def _start_over(self) -> bool:
        self._runs.start_over()
        self._fires.start_over()
        return False


class _Pass:
    """One way through the rows, from the oldest up."""

    def __init__(self, look: _Look, delete: _Delete, spare: int) -> None:
        self._look = look
        self._delete = delete
        self._spare = spare
        self._position: int | None = 0
        self._found: list[int] = []

    async def step(self, before: datetime) -> bool:
        """Look, or delete a few of what was found; False when the pass is over."""
        if self._found:
            few, self._found = self._found[:AT_ONCE], self._found[AT_ONCE:]
            await self._delete(few)
            return True
        if self._position is None:
            return False
        seen = await self._look(self._position, before, self._spare)
        self._found, self._position = seen.numbers, seen.position
        return bool(self._found) or self._position is not None

    def start_over(self) -> None:
        self._position = 0
