"""Looking at a source from the agent's loop: it may never answer, so each look has a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from agent.core.driving import DriverError
from agent.core.threads import look
from agent.resources.connections.engine import open_source
from agent.resources.connections.failures import naming_failures
from agent.resources.connections.inspection import TableInfo, find_table, list_tables
from agent.resources.connections.query_time import LOOK_SECONDS, query_time

Answer = TypeVar("Answer")


async def test_source(name: str, url: str) -> None:
    """Connect and ask for `1`; DriverError (`source_unreachable`, `source_refused` …) if that fails."""
    await look(_with_source, name, url, _ask)


async def describe_source(name: str, url: str) -> list[str]:
    """Names of the source's tables and views; DriverError if it cannot be read."""
    return await look(_with_source, name, url, list_tables)


async def describe_table(name: str, url: str, table: str) -> TableInfo | None:
    """The table's columns and keys, None if there is none; DriverError if the source cannot be read."""
    return await look(_with_source, name, url, lambda engine: find_table(engine, table))


def _with_source(name: str, url: str, ask: Callable[[Engine], Answer]) -> Answer:
    engine = open_source(url, LOOK_SECONDS)
    try:
        with naming_failures(name, url), query_time(engine, name):
            return ask(engine)
    except UnicodeError:
        raise DriverError("source_error", f"connection '{name}' answered with text that is not UTF-8") from None
    finally:
        engine.dispose()


def _ask(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(sa.select(1))
