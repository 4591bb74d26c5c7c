"""All SQL on Jobdeck's own tables, and nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from agent.store import facts, schema
from agent.store.engine.engine import open_writer
from agent.store.engine.place import Place
from agent.store.engine.readers import Readers
from agent.store.engine.writer import Writer
from agent.store.store import SqlStore
from shared.clock import Clock
from shared.errors import Unavailable
from shared.ids import NewId
from shared.places import STORE_FILE

__all__ = ["STORE_FILE", "SqlStore", "open_store"]


async def open_store(path: Path, *, clock: Clock, new_id: NewId) -> SqlStore:
    """Open the store in this file, made if it is not there, and bring its schema up.

    Unavailable if the file cannot be opened; Conflict if a newer Jobdeck made it. Several processes may have one
    store open (a command beside the agent); that only one agent works on it is the duty of `agent.store.engine.lock`.
    """
    _make_private(path)
    engine = open_writer(path)
    place = Place(path)
    writer = Writer(engine, clock, place)
    try:
        await asyncio.to_thread(_prepare, engine, new_id)
        await writer.start()
    except DBAPIError as error:
        engine.dispose()
        raise Unavailable(
            f"the store {path} cannot be opened: {error.orig}; `jobdeck doctor` says what to do"
        ) from error
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(writer, Readers(path, place), clock, place)


def _make_private(path: Path) -> None:
    """The files that the engine puts beside the store get the store's own mode."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise Unavailable(f"the store {path} cannot be opened: {error.strerror}") from error


def _prepare(engine: sa.Engine, new_id: NewId) -> None:
    with engine.begin() as connection:
        schema.bring_up(connection)
        if facts.get(connection, "store_id") is None:
            facts.put(connection, "store_id", new_id())
