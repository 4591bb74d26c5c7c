"""Who does what: said where a request is let in, written where the store changes, in the same transaction.

The caller of an act travels in a context variable, from the door to the store's verbs: whatever is written on its
behalf leaves a row that names it, whether or not the code between thought of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.overreach import FOREIGN, ids_in, reason_of
from agent.core.ports import Store
from agent.core.records import AuditQuery, NewRefusal
from shared.clock import Clock
from shared.errors import JobdeckError, Unavailable
from shared.models.audit import AuditEntry

_log = structlog.get_logger()

WINDOW = timedelta(minutes=1)
"""Refusals of the same to the same within it are one row, with their count."""
MOST_ROWS = 100
"""Rows for refusals within a window, of all callers; what comes beyond is counted in one row for each caller."""
MOST_EACH = 30
"""Of one caller, or of all who are not known: what one tries leaves room for the record of the others."""
MOST_UNPROVEN = 20
"""Of all together who have not proven who they are, within an hour: whoever guesses from many addresses pushes nothing out
of the record. What comes beyond is counted in one row for each user whose name they give, and one for all other names."""
_UNPROVEN_WINDOW = timedelta(hours=1)
_REST = "further refusals"
NOBODY = "(unknown)"
"""What the record calls whom it does not know; no handle reads so."""
AUTHENTICATE = "authenticate"
LOG_IN = "log_in"
_OPENS_NOTHING = "the token that was sent opens nothing"


@dataclass(frozen=True, slots=True)
class Acting:
    """What a request is about: who asks, by which operation, and what it names in its path."""

    caller: Caller
    act: str
    subject: str = ""

    @property
    def is_nobody(self) -> bool:
        """Who sent what opens nothing. Of that no word is kept, nor what was asked for: one row for each sender."""
        return not self.caller.user_id and self.act == AUTHENTICATE

    @property
    def is_unproven(self) -> bool:
        """Anybody can be refused so, without a credential of ours: for a token that opens nothing, for a wrong password."""
        return not self.caller.user_id or self.act == LOG_IN


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting() -> Acting | None:
    return _acting.get()


def now_acts(caller: Caller, act: str, subject: str = "") -> None:
    """From here to the end of this task, what is written is this caller's doing."""
    _acting.set(Acting(caller, act, subject))


@contextmanager
def acts(caller: Caller, act: str, subject: str = "") -> Iterator[None]:
    """The same, for a part of a task."""
    before = _acting.set(Acting(caller, act, subject))
    try:
        yield
    finally:
        _acting.reset(before)


_Key = tuple[str, str, str | None, str | None, str, str, str]
"""Account, user, token, address; act, what it was to be done with, why not."""


@dataclass(slots=True)
class _Repeated:
    number: int
    since: datetime
    last: datetime
    is_unproven: bool
    written_at: datetime
    count: int = 1
    written: int = 1

    @property
    def window(self) -> timedelta:
        return _UNPROVEN_WINDOW if self.is_unproven else WINDOW


class Audit:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._refusals: dict[_Key, _Repeated] = {}

    async def list(self, caller: Caller, query: AuditQuery) -> list[AuditEntry]:
        """A page, newest first; of the caller's account."""
        caller.require(Scope.ADMIN)
        await self.flush()
        return await self._store.list_audit(caller.account_id, query)

    async def refused(self, who: Acting, reason: str) -> None:
        """A row for the first within a window; those after it are counted there, and written at every doubling: nobody
        fills a disk by being refused. While the store cannot be written a refusal stands all the same."""
        try:
            await self._note(who, reason)
        except Unavailable as error:
            _log.warning("refusal_not_recorded", act=who.act, user=who.caller.handle, why=error.message)

    async def _note(self, who: Acting, reason: str) -> None:
        now = self._clock.now()
        await self._close(now)
        key = self._key(who, reason)
        known = self._refusals.get(key)
        if known is None:
            # In its place before the store answers: who asks meanwhile is counted, not written.
            known = self._refusals[key] = _Repeated(0, now, now, who.is_unproven, now)
            known.number = await self._insert(key, who, now)
            return
        known.count, known.last = known.count + 1, now
        if known.number and known.count >= 2 * known.written:
            await self._write(known)

    async def _insert(self, key: _Key, who: Acting, now: datetime) -> int:
        act, subject, reason = key[4:]
        try:
            return await self._store.insert_refusal(NewRefusal(who.caller, act, subject, reason), now)
        except BaseException:
            self._refusals.pop(key, None)  # the next of its kind is the first again
            raise

    async def note(self, who: Acting, error: JobdeckError, named: Iterable[str] = ()) -> None:
        """What is refused to somebody for being somebody else's. `named`: what the request's path names."""
        reason = _OPENS_NOTHING if who.is_nobody else reason_of(error)
        try:
            if reason is None and await self._is_foreign(who.caller, ids_in(error, named)):
                reason = FOREIGN
        except Unavailable:  # it cannot be recorded either
            return
        if reason is not None:
            await self.refused(who, reason)

    async def answered(self, error: JobdeckError) -> None:
        """What is refused to whoever acts, and told in an answer among other things instead of being raised."""
        who = acting()
        if who is not None:
            await self.note(who, error)

    async def _is_foreign(self, caller: Caller, ids: Sequence[str]) -> bool:
        return bool(ids) and await self._store.is_of_others(caller.account_id, ids)

    async def flush(self) -> None:
        """Write the counts as they are."""
        for known in list(self._refusals.values()):
            await self._write(known)

    def _key(self, who: Acting, reason: str) -> _Key:
        caller = who.caller
        by = (caller.account_id, caller.user_id, caller.token_id, caller.address)
        key = (*by, who.act, who.subject, reason)
        if key in self._refusals:
            return key
        if self._has_room(who):
            return key
        why = "too many within an hour" if who.is_unproven else "too many"
        return (caller.account_id, caller.user_id, None, None, _REST, "", f"{why} to list each")

    def _has_room(self, who: Acting) -> bool:
        """For a row of its own."""
        alike = [key for key, known in self._refusals.items() if known.is_unproven == who.is_unproven]
        if who.is_unproven:
            return len(alike) < MOST_UNPROVEN
        by = (who.caller.account_id, who.caller.user_id)
        return len(alike) < MOST_ROWS and sum(key[:2] == by for key in alike) < MOST_EACH

    async def _close(self, now: datetime) -> None:
        """End the windows that are over; of long ones, write what was counted a while ago."""
        for key, known in list(self._refusals.items()):
            if known.number and known.since + known.window <= now:
                await self._write(self._refusals.pop(key))
            elif known.number and known.written_at + WINDOW <= now:
                known.written_at = now
                await self._write(known)

    async def _write(self, known: _Repeated) -> None:
        if known.number and known.count > known.written:
            before, known.written = known.written, known.count
            try:
                await self._store.count_refusals(known.number, known.count, known.last)
            except BaseException:
                known.written = before
                raise
