"""A group of writes: tried as a whole, and each by itself if one of them is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from agent.store import events
from agent.store.engine.prepared import begin, rollback
from shared.errors import Unavailable

T = TypeVar("T")
Item = TypeVar("Item")
Write = Callable[[sa.Connection], T]
WriteEach = Callable[[sa.Connection, Sequence[Item], datetime], Sequence[T]]
"""What it returns is in the order of the items, one for each."""
Offer = Callable[[sa.Connection], AbstractContextManager[object]]
"""What a write has for the one right before it, open as long as the two are tried together and alone."""


class Foresight(Protocol):
    """See `agent.core.ports.runs`."""

    def foresee(self, result: Any, /) -> None: ...

    def confirm(self) -> None: ...

    def decide(self, *, kept: bool) -> None: ...


@dataclass(slots=True)
class Waiting:
    write: Callable[[sa.Connection], Any]
    future: asyncio.Future[Any]
    each: WriteEach[Any, Any] | None = None
    """Of a write that may be made one with others of its kind."""
    items: Sequence[Any] = ()
    now: datetime | None = None
    stirs: bool = False
    hurries: bool = False
    patient_until: float | None = None
    """By the loop's clock; None: it waits behind nobody."""
    bides: bool = False
    """It lets what is withheld be, and waits for its moment."""
    foresight: Foresight | None = None
    offer: Offer | None = None


@dataclass(slots=True)
class Done:
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def write_together(connection: sa.Connection, group: list[Waiting]) -> list[Done]:
    """Raises what the first that is refused raises."""
    events.begin(connection)
    with _offered(connection, group):
        return [done for part in _alike(group) for done in _write_alike(connection, part)]


def _offered(connection: sa.Connection, group: list[Waiting]) -> AbstractContextManager[object]:
    """What the second has for the first, where there are no others."""
    offer = group[1].offer if len(group) == 2 else None
    return nullcontext() if offer is None else offer(connection)


def _alike(group: list[Waiting]) -> list[list[Waiting]]:
    """Neighbours that may be one write."""
    parts: list[list[Waiting]] = []
    for waiting in group:
        if parts and waiting.each is not None and parts[-1][-1].each == waiting.each:
            parts[-1].append(waiting)
        else:
            parts.append([waiting])
    return parts


def _write_alike(connection: sa.Connection, part: list[Waiting]) -> list[Done]:
    first = part[0]
    if first.each is None or len(part) == 1:
        return [Done(first.future, first.write(connection))]
    items = [item for waiting in part for item in waiting.items]
    results = iter(first.each(connection, items, max(waiting.now for waiting in part if waiting.now)))
    return [Done(waiting.future, [next(results) for _ in waiting.items]) for waiting in part]


def write_apart(connection: sa.Connection, group: list[Waiting]) -> list[Done]:
    events.begin(connection)
    if len(group) == 1:
        return [_write_alone(connection, group[0])]
    return [_write_within_savepoint(connection, waiting) for waiting in group]


def _write_alone(connection: sa.Connection, waiting: Waiting) -> Done:
    try:
        return Done(waiting.future, waiting.write(connection))
    except Exception as error:
        rollback(connection)
        begin(connection)
        events.begin(connection)
        return Done(waiting.future, error=_translate(error))


def _write_within_savepoint(connection: sa.Connection, waiting: Waiting) -> Done:
    place = events.mark(connection)
    savepoint = connection.begin_nested()
    try:
        result = waiting.write(connection)
    except Exception as error:
        _take_back(savepoint, error)
        events.back(connection, place)
        return Done(waiting.future, error=_translate(error))
    savepoint.commit()
    return Done(waiting.future, result)


def _take_back(savepoint: sa.NestedTransaction, error: Exception) -> None:
    try:
        savepoint.rollback()
    except DBAPIError:
        # The engine has ended the whole transaction (disk full): the group fails as one, and that is why.
        raise error from None


def resolve(done: Done) -> None:
    if done.future.done():
        return
    if done.error is not None:
        done.future.set_exception(done.error)
    else:
        done.future.set_result(done.result)


def _translate(error: Exception) -> Exception:
    """A failure of the disk or the file is the store's state, a broken constraint is a defect of ours."""
    return unavailable(error) if isinstance(error, sa.exc.OperationalError) else error


def unavailable(error: Exception) -> Exception:
    if not isinstance(error, DBAPIError):
        return error
    text = str(cast("Any", error).orig)
    if "locked" in text or "busy" in text:
        return Unavailable(
            "another process has been writing to the store's file for too long; end it (a backup, a shell?)"
        )
    if "full" in text:
        return Unavailable("the store cannot be written: the disk is full; make room, and the agent goes on by itself")
    return Unavailable(f"the store cannot be written: {text}")
