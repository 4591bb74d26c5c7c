"""Opening a source: read only, with short waits, and an error that names the missing package."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import QueuePool

from agent.core.driving import DriverError
from agent.resources.connections.arguments import connect_args
from agent.resources.connections.query_time import watch
from agent.resources.connections.urls import missing_driver, parse_url
from shared.errors import InvalidInput

BUSY_SECONDS = 5.0


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
    return create_engine(url, connect_args=_arguments(url), isolation_level=_isolation(kind), hide_parameters=True)


def _open_sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.text_factory = _lenient_text
    return connection


def _lenient_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "duckdb":
        # a view in the file may speak of other files: what the file itself holds is all that is read
        return {"read_only": True, "config": {"enable_external_access": False, "lock_configuration": True}}
    return connect_args(url)


def _isolation(kind: str) -> Any:
    return "AUTOCOMMIT" if kind in ("postgresql", "mysql", "mariadb") else None
