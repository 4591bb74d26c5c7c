"""The one writer: takes all writes that wait, commits them as one transaction, then says so.

A write is a plain function of a connection. It is acknowledged (its result comes back) only after the commit that
holds it is on the disk; an fsync is paid once for a whole group. A group is one visit to the writer's own thread: a
visit for each statement, as an asynchronous connection makes them, would cost more than the statements do.

Writes of a kind that wait side by side may be one: `submit_each` hands all their items to their function at once.
Before a group is taken in which something stirs, the riders are called: what they queue goes with it.
A group is first tried as a whole. If one write of it is refused, the group is tried again with a savepoint for each, so
that the refused one takes no other with it: so a write may be called twice, and must change nothing but the store.

One transaction may be written before its moment and its commit withheld until then, when nothing else waits. The first
write that does not bide ends that: what somebody changes before the moment counts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from agent.store import events
from agent.store.engine.foretelling import Foretelling
from agent.store.engine.group import (
    Done,
    Foresight,
    Offer,
    Waiting,
    Write,
    WriteEach,
    resolve,
    unavailable,
    write_apart,
    write_together,
)
from agent.store.engine.guarded import guarded
from agent.store.engine.health import Health, room_beside
from agent.store.engine.lengthening import Lengthening, lengthen
from agent.store.engine.place import Place, Watch
from agent.store.engine.prepared import begin, checkpoint_later, commit, driver_of, rollback
from agent.store.engine.queue import PATIENCE, Queue
from agent.store.engine.saving import save_log
from agent.store.engine.thread import Thread, attempt
from agent.store.engine.withheld import Withheld
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models import Event

T = TypeVar("T")
Item = TypeVar("Item")
Listener = Callable[[Sequence[Event]], None]

_QUIET_EACH, _QUIET = 0.00004, 0.08
"""Seconds for each event, and at most, in which a crowd begins before others are told of it."""

_log = logging.getLogger(__name__)


class Writer:
    def __init__(self, engine: sa.Engine, clock: Clock, place: Place) -> None:
        self._engine = engine
        self._place = place
        self._watch = Watch(place, self._find_out)
        path = Path(str(engine.url.database))
        self.health = Health(clock, room_beside(path))
        self._lengthening = Lengthening(path, self._is_quiet, self._lengthen_log)
        self._thread = Thread("jobdeck-store-writer")
        self._connection: sa.Connection | None = None
        self._log_is_saved = False
        self._queue = Queue()
        self._listeners: list[Listener] = []
        self._last_event_id = 0
        self._open = False
        self._withheld: Withheld[Any] | None = None
        self._quiet: asyncio.Handle | None = None
        """What was withheld is committed, and about to be told."""
        self._untold: list[Event] = []
        self._foretelling = Foretelling()
        self._busy = False
        """A group is on its way, from when it is first thought of until it is told."""
        self._idle = asyncio.Event()

    async def start(self) -> None:
        self._last_event_id = await self._thread.call(self._read_last_event_id)
        self._place.keep_log()
        self._open = True
        self._idle.set()
        self._watch.start()
        self._lengthening.start()

    def submit(
        self,
        write: Write[T],
        *,
        stirs: bool = False,
        hurries: bool = False,
        bides: bool = False,
        foresight: Foresight | None = None,
        offer: Offer | None = None,
    ) -> asyncio.Future[T]:
        """Queue `write`; the future has its result after the commit, or its refusal. One that `hurries` goes before those
        that are patient; one that `bides` waits for the moment of what is withheld. `foresight` is told of a result,
        unless it is empty, while the commit is on its way, and what became of that before anybody else is told. `offer`:
        see `Offer`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(Waiting(write, future, stirs=stirs, hurries=hurries, bides=bides, foresight=foresight, offer=offer))
        return future

    def submit_each(
        self,
        write: WriteEach[Item, T],
        items: Sequence[Item],
        now: datetime,
        *,
        stirs: bool = False,
        patient: bool = False,
        bides: bool = False,
    ) -> asyncio.Future[Sequence[T]]:
        """Queue a write of items that may be written together with those of others, as of the latest `now` of them. What
        is `patient` bides too."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[T]] = loop.create_future()
        until = loop.time() + PATIENCE if patient else None
        self._put(
            Waiting(
                lambda connection: write(connection, items, now),
                future,
                write,
                items,
                now,
                stirs,
                patient_until=until,
                bides=bides or patient,
            )
        )
        return future

    def withhold(self, plan: Callable[[], Write[T]], heard: Callable[[bool], None]) -> Withheld[T]:
        """Have a transaction written as soon as nothing else waits, and not committed before its `commit`; one at a time.
        `plan` is asked on the loop for the write, when it is its turn. `heard` is told what became of it before anything
        else is told of the commit."""
        withheld: Withheld[T] = Withheld(plan, heard, self._decided)
        if not self._open or self._withheld is not None or self.health.trouble is not None:
            withheld.end(kept=False)
            return withheld
        self._withheld = withheld
        if not self._busy:
            self._begin_soon()
        return withheld

    def ride(self, rider: Callable[[], None]) -> None:
        self._queue.ride(rider)

    def stir(self) -> asyncio.Future[None]:
        """Have the riders called for a group that begins soon; it is committed when the future has its result."""
        return self.submit(lambda _connection: None, stirs=True, bides=True)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def close(self) -> None:
        """Commit what waits, then stop."""
        self._open = False
        self._watch.stop()
        self._lengthening.stop()
        if self._withheld is not None:
            self._withheld.drop()
        await self._idle.wait()
        await self._thread.call(self._let_go)
        await self._thread.call(self._engine.dispose)
        self._place.leave()
        self._thread.stop()

    def _is_quiet(self) -> bool:
        return not self._busy and self._withheld is None

    def _lengthen_log(self) -> None:
        self._thread.run(lambda: attempt(self._lengthen), lambda _made: None)

    def _lengthen(self) -> None:
        try:
            lengthen(driver_of(self._connect()))
        except Exception as error:
            _log.debug("the store's log stays as long as it is: %s", error)
            self._let_go()

    def _find_out(self) -> None:
        """What it means that the store's file went, or came back: a write is refused now, or taken again."""
        self.submit(lambda _connection: None).add_done_callback(lambda done: done.cancelled() or done.exception())

    def _put(self, waiting: Waiting) -> None:
        if not self._open:
            raise Unavailable("the store is closed")
        self._queue.put(waiting)
        if not waiting.bides:
            self._wait_for_nothing()
        if not self._busy:
            self._begin_soon()

    def _wait_for_nothing(self) -> None:
        """Somebody has something to write: neither the moment of what is withheld is waited for, nor its crowd."""
        if self._withheld is not None and self._withheld.phase != "waiting":
            self._withheld.drop()
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = asyncio.get_running_loop().call_soon(self._end_quiet)

    def _begin_soon(self) -> None:
        """After two turns of the loop: whoever was woken with us, and what comes in from outside in the same moment, may
        have something for this same commit."""
        self._busy = True
        self._idle.clear()
        loop = asyncio.get_running_loop()
        # Within nobody's context: who writes first acts for a caller, and what rides along is not that caller's doing.
        loop.call_soon(loop.call_soon, self._begin, context=Context())

    def _begin(self) -> None:
        # Who stopped waiting before the transaction began wants nothing written; once it runs, it is written.
        group = [waiting for waiting in self._queue.take() if not waiting.future.done()]
        if self._withheld is not None and not group and not self._queue:
            self._write_ahead(self._withheld)
            return
        loop = asyncio.get_running_loop()
        self._thread.run(lambda: self._commit(group, loop), self._tell)

    def _commit(self, group: list[Waiting], loop: asyncio.AbstractEventLoop) -> tuple[list[Done], list[Event]]:
        try:
            return self._transact(group, loop) if group else ([], [])
        except Exception as error:
            fault = unavailable(error)
            return [Done(waiting.future, error=fault) for waiting in group], []

    def _tell(self, committed: tuple[list[Done], list[Event]]) -> None:
        done, news = committed
        self._foretelling.decide(done)
        for each in done:
            resolve(each)
        self._publish(news)
        self._tell_listeners(self.health.heed([each.error for each in done], stored=bool(news)))
        self._busy = False
        if self._queue or self._withheld is not None:
            self._begin_soon()
        else:
            self._idle.set()

    def _transact(self, group: list[Waiting], loop: asyncio.AbstractEventLoop) -> tuple[list[Done], list[Event]]:
        connection = self._connect()
        try:
            begin(connection)  # what holds the whole store is waited for once
            try:
                done = write_together(connection, group)
            except Exception:
                rollback(connection)
                begin(connection)
                done = write_apart(connection, group)
            if any(each.error is None for each in done) and self.health.ends():
                self.health.record_end(connection)
            news = events.write_recorded(connection, self._last_event_id)
            self._place.check()
            self._foretelling.foretell(loop, group, done)
            commit(connection)
        except BaseException:
            self._let_go()
            raise
        self._foretelling.confirm()
        return done, news

    def _write_ahead(self, withheld: Withheld[Any]) -> None:
        withheld.phase = "writing"
        write, error = attempt(withheld.plan)
        if write is None:
            self._heed_written(withheld, (None, error))
            return
        self._thread.run(lambda: attempt(lambda: self._write_uncommitted(write)), partial(self._heed_written, withheld))

    def _write_uncommitted(self, write: Write[T]) -> tuple[T, list[Event]]:
        connection = self._connect()
        try:
            begin(connection)
            events.begin(connection)
            return write(connection), events.write_recorded(connection, self._last_event_id)
        except BaseException:
            self._let_go()
            raise

    def _heed_written(self, withheld: Withheld[T], made: tuple[tuple[T, list[Event]] | None, Exception | None]) -> None:
        written, error = made
        if written is None:
            _log.warning("what was to be withheld could not be written: %s", error)
            self._tell_withheld(withheld, kept=False)
            return
        withheld.has_written(*written)
        if withheld.keep is not None:
            self._end(withheld)

    def _decided(self, withheld: Withheld[Any]) -> None:
        if withheld is not self._withheld:
            return
        if withheld.phase == "written":
            self._end(withheld)
        elif withheld.phase == "waiting":  # nothing of it is there
            self._let_be(withheld, kept=False)

    def _end(self, withheld: Withheld[Any]) -> None:
        """Commit or drop it, as was decided."""
        keep, withheld.phase = withheld.keep is True, "ending"
        self._thread.run(
            lambda: attempt(lambda: self._close_transaction(keep=keep)), lambda done: self._heed_end(withheld, done[1])
        )

    def _close_transaction(self, *, keep: bool) -> None:
        assert self._connection is not None
        try:
            if keep:
                self._place.check()
                with checkpoint_later(self._connection):  # others wait for this very moment
                    commit(self._connection)
            else:
                rollback(self._connection)
        except BaseException:
            self._let_go()
            raise

    def _heed_end(self, withheld: Withheld[Any], error: Exception | None) -> None:
        if error is not None:
            _log.warning("what was withheld could not be ended: %s", error)
        self._tell_withheld(withheld, kept=withheld.keep is True and error is None)

    def _tell_withheld(self, withheld: Withheld[Any], *, kept: bool) -> None:
        self._let_be(withheld, kept=kept)
        self._untold = withheld.news if kept else []
        # What `heard` sends is on its way before all others are told; and while many begin, they have the machine.
        quiet = min(len(self._untold) * _QUIET_EACH, _QUIET)
        self._quiet = asyncio.get_running_loop().call_later(quiet, self._end_quiet)

    def _end_quiet(self) -> None:
        self._quiet, untold, self._untold = None, self._untold, []
        self._tell(([], untold))

    def _let_be(self, withheld: Withheld[Any], *, kept: bool) -> None:
        self._withheld = None
        guarded(lambda: withheld.heard(kept))
        withheld.end(kept=kept)

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            self._save_lost_log()
            self._place.check()  # or there would be a new file
            self._connection = self._engine.connect()
        return self._connection

    def _let_go(self) -> None:
        """What is left of a transaction goes with the connection; the next group gets a new one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()
            self._save_lost_log()

    def _save_lost_log(self) -> None:
        """By the connection that the pool keeps since the start: none that is opened now could read it."""
        if not self._place.has_lost_log():
            self._log_is_saved = False
        elif not self._log_is_saved:
            with self._engine.connect() as connection:
                self._log_is_saved = save_log(connection)

    def _read_last_event_id(self) -> int:
        with self._engine.connect() as connection:
            return events.last_id(connection)

    def _publish(self, news: list[Event]) -> None:
        if not news:
            return
        self._last_event_id = news[-1].id
        self._tell_listeners(news)

    def _tell_listeners(self, news: list[Event]) -> None:
        for listener in list(self._listeners) if news else ():
            guarded(lambda listener=listener: listener(news))  # type: ignore[misc]
