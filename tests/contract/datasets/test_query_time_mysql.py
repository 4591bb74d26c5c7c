"""The same of a real MariaDB: it ends by itself what takes too long, and is hung up on if it falls silent."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from sqlalchemy.engine import Engine

from agent.core.driving import DriverError
from agent.resources.connections import naming_failures, open_source, query_time
from tests.harness.mariadb import MariaDb, mariadb

__all__ = ["mariadb"]

ENDLESS = "SELECT SLEEP(600)"
RUNNING = "SELECT count(*) FROM information_schema.processlist WHERE info = %s"


def fails(engine: Engine, url: str, query: str = ENDLESS) -> DriverError:
    with (
        pytest.raises(DriverError, match="'shop' needed more") as refused,
        naming_failures("shop", url),
        query_time(engine, "shop"),
        engine.connect() as connection,
    ):
        connection.exec_driver_sql(query).fetchall()
    return refused.value


def test_a_query_is_ended_by_the_server(mariadb: MariaDb) -> None:
    engine = open_source(mariadb.url, 0.2)
    refused = fails(engine, mariadb.url)
    assert (refused.kind, refused.transient) == ("query_time", False)
    with query_time(engine, "shop"), engine.connect() as connection:
        assert connection.exec_driver_sql(RUNNING, (ENDLESS,)).scalar() == 0
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]  # the connection outlived it
    engine.dispose()


def test_rows_that_do_not_end_are_no_longer_read(mariadb: MariaDb) -> None:
    engine = open_source(mariadb.url, 0.2)
    many = "SELECT a.x FROM (SELECT 1 x UNION SELECT 2) a" + "".join(
        f", (SELECT 1 x UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) t{number}" for number in range(16)
    )
    assert fails(engine, mariadb.url, f"SELECT count(*) FROM ({many}) AS rows_of_it").kind == "query_time"
    engine.dispose()


def test_a_server_that_falls_silent_is_hung_up_on(mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[query_time.__module__], "_CANCEL_SECONDS", 0.6)
    engine = open_source(mariadb.url, 0.2)
    with engine.connect():
        pass
    os.kill(mariadb.process.pid, signal.SIGSTOP)
    try:
        assert fails(engine, mariadb.url).kind == "query_time"
    finally:
        os.kill(mariadb.process.pid, signal.SIGCONT)
        engine.dispose()
