"""Opening a source: read only, with short waits, and an error that names the missing package."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import QueuePool

from agent.core.driving import DriverError
from agent.resources.connections.arguments import CONNECT_SECONDS, connect_args
from agent.resources.connections.query_time import watch
from agent.resources.connections.urls import missing_driver, parse_url
from shared.errors import InvalidInput

BUSY_SECONDS = 5.0
_WAITING_FOR_GREETINGS = ("mysql+pymysql", "mariadb+pymysql")
"""Drivers whose `connect_timeout` is over when somebody has accepted: whoever says nothing then (another kind of server
does, which waits to be spoken to) would be waited for without end."""


def open_source(url: str, seconds: float | None = None) -> Engine:
    """An engine that reads the source; nothing is connected yet. DriverError of a permanent kind if it cannot be made.

    A SQLite or DuckDB file is opened read only and never created. `seconds`: how long one query may take, where its
    reader says `query_time`.
    """
    try:
        parsed = parse_url(url)
    except InvalidInput as refusal:
        raise DriverError("source_url", refusal.message) from None
    try:
        return watch(_create(parsed), seconds)
    except ImportError:
        raise DriverError("driver_missing", missing_driver(parsed)) from None


def _create(url: URL) -> Engine:
    kind = url.get_backend_name()
    if kind == "sqlite":
        creator = partial(_open_sqlite, str(url.database))
        return create_engine("sqlite://", creator=creator, poolclass=QueuePool, isolation_level="AUTOCOMMIT")
    # AUTOCOMMIT: each page is one statement; no transaction stays open on the source while texts are embedded.
    engine = create_engine(url, connect_args=_arguments(url), isolation_level=_isolation(kind), hide_parameters=True)
    if url.drivername in _WAITING_FOR_GREETINGS:
        event.listen(engine, "connect", partial(_wait_for_answers, url.query.get("read_timeout")), insert=True)
    return engine


def _open_sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.text_factory = _lenient_text
    return connection


def _lenient_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _wait_for_answers(seconds: Any, connection: Any, _record: object) -> None:
    """The server has spoken: from now on it may take as long as the URL says, or as it takes."""
    connection._read_timeout = None if seconds is None else float(seconds)


def _arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "duckdb":
        # a view in the file may speak of other files: what the file itself holds is all that is read
        return {"read_only": True, "config": {"enable_external_access": False, "lock_configuration": True}}
    if url.drivername in _WAITING_FOR_GREETINGS:
        return {**connect_args(url), "read_timeout": CONNECT_SECONDS}
    return connect_args(url)


def _isolation(kind: str) -> Any:
    return "AUTOCOMMIT" if kind in ("postgresql", "mysql", "mariadb") else None
