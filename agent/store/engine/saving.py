"""What the store's log holds, moved into the main file: a connection can still read the log when its name is gone, and nobody
else ever will."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from agent.store.engine.prepared import driver_of, rollback

_log = logging.getLogger(__name__)


def save_log(connection: sa.Connection) -> bool:
    """Whether all is moved that is committed; what is not is taken back. The log is empty then, so that who opens what
    stands in its place looks for nothing in it."""
    try:
        rollback(connection)
        _, held, moved = driver_of(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except Exception as error:
        _log.error("the store's log is gone, and what it held cannot be moved into its file: %s", error)
        return False
    if held != moved:
        _log.error("the store's log is gone, and %d of its %d pages cannot be moved into its file", held - moved, held)
        return False
    _log.warning("the store's log is gone; what it held was moved into its file")
    return True
