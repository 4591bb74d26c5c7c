"""A source database of its own that can be killed, stopped and started again: a real PostgreSQL with a table of orders."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.harness.postgres import await_ready, new_server


class Source:
    def __init__(self, folder: Path) -> None:
        self._server = new_server(folder / "data")
        self.url = self._server.get_uri()

    def fill(self, rows: int) -> None:
        self.execute("DROP TABLE IF EXISTS orders")
        self.execute(
            "CREATE TABLE orders (id bigint PRIMARY KEY, product text, description text, changed bigint NOT NULL)"
        )
        self.execute(
            "INSERT INTO orders SELECT n, 'lamp ' || n, 'a plain lamp with the number ' || n || ', as it was at first', n "
            f"FROM generate_series(1, {rows}) n"
        )
        self.execute("CREATE INDEX ON orders (changed)")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as database:
            database.execute(statement)

    def texts(self) -> dict[str, str]:
        """Key to text, as a knowledge base should have it."""
        with psycopg.connect(self.url) as database:
            found = database.execute("SELECT id, product, description FROM orders").fetchall()
        return {str(id_): f"{product}\n{description}" for id_, product, description in found}

    def kill(self) -> None:
        """KILL to all of it, as when its machine is lost."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, 10)

    def start_again(self) -> None:
        """It first makes good what the kill left undone, and refuses connections until then."""
        await_ready(self._server.ensure_postgres_running)

    def stop_answering(self) -> None:
        """As when the network swallows everything: connections stay open, and nothing comes."""
        self._signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        self.answer_again()
        with suppress(Exception):
            self._server.cleanup()
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        try:
            postmaster = psutil.Process(self._server.get_pid())
            return [postmaster, *postmaster.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@contextmanager
def open_source() -> Iterator[Source]:
    # Not pytest's own folder: the server runs as another user when the tests run as root, and must reach it.
    folder = Path(tempfile.mkdtemp(prefix="jobdeck-source-"))
    source = Source(folder)
    try:
        yield source
    finally:
        source.close()
        shutil.rmtree(folder, ignore_errors=True)
