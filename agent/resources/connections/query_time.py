"""How long a source may take for one query: what takes longer is ended, and said so.

Whoever waits for the source cannot look at the clock, so a thread does. It ends the query as the source has it ended:
SQLite and DuckDB are interrupted, PostgreSQL gets a cancel request, and is hung up on if it does not answer that either.
MySQL and MariaDB are told beforehand how long a statement may take, and hung up on if they go on: a request to end one would
need a second connection, which may lead to another server of that name. A query that ends by itself in that moment is over.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.engine import Engine

from agent.core.driving import DriverError
from shared.durations import format_duration

LOOK_SECONDS = 60.0
"""For what a source says of itself: tables, columns, keys."""
_CANCEL_SECONDS = 5.0
"""For the answer to a cancel request, or for a server to keep its own limit."""
_AGAIN = 0.2
"""Seconds until it is told again: it may have been between two statements."""


@dataclass(slots=True)
class _Watched:
    seconds: float | None
    connections: set[Any] = field(default_factory=set)
    """Those of the driver that are in use."""

    def end(self, times: int) -> None:
        """For the first, second … time since the query has taken too long."""
        for connection in tuple(self.connections):
            with suppress(Exception):  # it may be closed, or the server gone: then nothing is asked any more
                _stop(connection, patient=times * _AGAIN <= _CANCEL_SECONDS)


_LIMITED = ("mysql", "mariadb")
_LATER = 0.5
"""Seconds after `late`: else the server's own word for it would be heard, and not known for what it is."""
_WATCHED: WeakKeyDictionary[Engine, _Watched] = WeakKeyDictionary()


def watch(engine: Engine, seconds: float | None) -> Engine:
    """Let `query_time` know what to end. None: as long as it takes."""
    watched = _WATCHED[engine] = _Watched(seconds)
    event.listen(engine, "checkout", lambda raw, *_: watched.connections.add(raw))
    event.listen(engine, "checkin", lambda raw, *_: watched.connections.discard(raw))
    if seconds is not None and engine.dialect.name in _LIMITED:
        event.listen(engine, "connect", lambda raw, _: _limit(raw, seconds + _LATER))
    return engine


@contextmanager
def query_time(engine: Engine, name: str) -> Iterator[None]:
    """The block is one query of the connection `name`, its rows included. DriverError(kind='query_time') if it took
    too long."""
    watched = _WATCHED[engine]
    times = count(1)
    with in_time(watched.seconds, f"connection '{name}'", lambda: watched.end(next(times))):
        yield


@contextmanager
def in_time(seconds: float | None, who: str, end: Callable[[], None]) -> Iterator[None]:
    """Call `end`, from another thread, when the block has taken so long, until it is over."""
    if seconds is None:
        yield
        return
    over, late = threading.Event(), threading.Event()
    thread = threading.Thread(target=_watch, args=(seconds, over, late, end), name="jobdeck-query-time", daemon=True)
    thread.start()
    try:
        yield
    except Exception:
        if late.is_set():
            raise _too_long(who, seconds) from None
        raise
    finally:
        over.set()
        thread.join()


def _watch(seconds: float, over: threading.Event, late: threading.Event, end: Callable[[], None]) -> None:
    if over.wait(seconds):
        return
    late.set()
    while not over.is_set():
        end()
        over.wait(_AGAIN)


def _limit(connection: Any, seconds: float) -> None:
    """The server ends what takes longer, also when nobody is left to hang up. One that is too old to know a limit is only
    hung up on."""
    for said in (f"max_statement_time = {seconds:.3f}", f"max_execution_time = {seconds * 1000:.0f}"):  # MariaDB, MySQL
        with suppress(Exception), closing(connection.cursor()) as cursor:
            cursor.execute(f"SET SESSION {said}")
            return


def _stop(connection: Any, *, patient: bool) -> None:
    if hasattr(connection, "cancel_safe"):
        try:
            connection.cancel_safe(timeout=_CANCEL_SECONDS)
        except Exception:  # nobody answers there: whoever waits for the query would wait for ever
            _hang_up(connection.fileno())
    elif hasattr(connection, "_sock"):  # PyMySQL's
        if not patient:
            _hang_up(connection._sock.fileno())
    else:
        stop = getattr(connection, "interrupt", None) or getattr(connection, "cancel", None)
        if stop is not None:
            stop()


def _hang_up(line: int) -> None:
    with socket.socket(fileno=os.dup(line)) as twin:
        twin.shutdown(socket.SHUT_RDWR)


def _too_long(who: str, seconds: float) -> DriverError:
    longest = format_duration(timedelta(seconds=seconds))
    message = f"{who} needed more than {longest} for one query, which was ended (setting `query_timeout`)"
    return DriverError("query_time", f"{message}: ask for less, give the source an index for it, or raise the setting")
