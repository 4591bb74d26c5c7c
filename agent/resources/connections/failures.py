"""What a source's failure means: a stable word, whether waiting helps, and a sentence without credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from agent.core.driving import DriverError
from agent.resources.connections.urls import parse_url, without_password

_LOCKED = re.compile(
    r"database (table )?is locked|could not set lock|lock wait timeout|deadlock|conflicting lock", re.I
)
_REFUSED = re.compile(
    r"authentication failed|access denied|permission denied|no password supplied|pg_hba|not authorized"
    r"|(database|role|user) \S+ does not exist|unknown database",
    re.I,
)
_NO_TABLE = re.compile(r"no such table|(relation|table) \S+ (with name )?\S* ?does not exist|doesn't exist", re.I)
_NO_COLUMN = re.compile(r"no such column|column \S+ does not exist|unknown column|referenced column", re.I)
_GONE = re.compile(
    r"unable to open database|does not exist|connection (failed|refused|reset|timed out|is closed)|could not connect"
    r"|can't connect|server closed|lost connection|gone away|terminating connection|timeout expired|disk i/o error"
    r"|could not translate host name|failed to resolve|name or service not known|starting up|shutting down"
    r"|too many (clients|connections)",
    re.I,
)
_LOCKED_STATES = frozenset({"55P03", "40P01", "40001"})
_GONE_STATES = re.compile(r"08...|57P0.|53...|57014")


@contextmanager
def naming_failures(name: str, url: str) -> Iterator[None]:
    """Turn what the source's driver raises inside the block into a DriverError about connection `name`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _as_driver_error(error, name, parse_url(url)) from None


def first_line(error: BaseException) -> str:
    """What the source's driver says of it, one line: SQLAlchemy's message carries the statement and its parameters."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    match original.args:
        case (int(code), str(words)):  # as PyMySQL has it
            text = f"{words.strip()} ({code})"
        case _:
            text = str(original).strip()
    return text.partition("\n")[0] or type(original).__name__


def _as_driver_error(error: SQLAlchemyError, name: str, url: URL) -> DriverError:
    cause = without_password(first_line(error), url)
    kind, transient, words = _judge(error, cause)
    return DriverError(kind, f"connection '{name}' ({_place(url)}) {words}: {cause}", transient=transient)


def _judge(error: SQLAlchemyError, cause: str) -> tuple[str, bool, str]:
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    if state in _LOCKED_STATES or _LOCKED.search(cause):
        return "source_locked", True, "is locked by another program"
    if _REFUSED.search(cause):
        return "source_refused", False, "refuses access"
    if _NO_TABLE.search(cause):
        return "unknown_table", False, "has no such table"
    if _NO_COLUMN.search(cause):
        return "unknown_column", False, "has no such column"
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or _GONE_STATES.fullmatch(state) or _GONE.search(cause):
        return "source_unreachable", True, "cannot be reached"
    return "source_error", False, "could not answer"


def _place(url: URL) -> str:
    if url.host:
        return f"{url.get_backend_name()} at {url.host}" + (f":{url.port}" if url.port else "")
    return f"{url.get_backend_name()} {url.database or ''}".strip()
