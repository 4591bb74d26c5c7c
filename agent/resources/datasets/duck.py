"""DuckDB as the engine of datasets: within bounds of memory, spilling into the run's own folder, stopped by a cancel."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from agent.core.driving import DriverError, RunCancelled, RunContext

Duck = Any
"""A `duckdb.DuckDBPyConnection`; its module is loaded only where work is done."""

MEMORY = "128MB"
THREADS = 2
MISSING = "DuckDB, which datasets, exports and imports need, is not installed; run: pip install 'jobdeck[duckdb]'"
_LOOK_EVERY = 0.1


def load_duckdb() -> ModuleType:
    """DriverError(kind='driver_missing') where the extra is not installed."""
    try:
        import duckdb
    except ImportError:
        raise DriverError("driver_missing", MISSING) from None
    return duckdb


def connect(database: Path | None, spill: Path, *, memory: str = MEMORY, threads: int = THREADS) -> Duck:
    """A database of our own: a file, or in memory. Nothing is downloaded; moments are shown in UTC."""
    settings = {
        "memory_limit": memory,
        "threads": threads,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = load_duckdb().connect(str(database) if database else ":memory:", config=settings)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def confine(connection: Duck, *folders: Path) -> None:
    """From now on it reaches no file outside of `folders`, and nobody can change that. Attached databases stay."""
    allowed = ", ".join(quoted(f"{folder.resolve()}/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def workbench(context: RunContext, name: str = "bench") -> Iterator[Duck]:
    """A database in the run's own folder, for what passes through it. A cancel stops whatever it is at."""
    folder = context.scratch / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    connection = connect(folder / "stage.duckdb", folder / "spill")
    try:
        with stoppable(connection, context):
            yield connection
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stoppable(connection: Duck, context: RunContext) -> Iterator[None]:
    """Interrupt the connection when the run is cancelled; RunCancelled then, whatever it raises."""
    over = threading.Event()
    watch = threading.Thread(target=_interrupt, args=(connection, context, over), name="jobdeck-duck", daemon=True)
    watch.start()
    try:
        yield
    except (RunCancelled, DriverError):
        raise
    except Exception:
        if context.cancelled.is_set():
            raise RunCancelled from None
        raise
    finally:
        over.set()
        watch.join()


def _interrupt(connection: Duck, context: RunContext, over: threading.Event) -> None:
    while not over.wait(_LOOK_EVERY):
        if context.cancelled.is_set():
            connection.interrupt()


def quoted(text: str) -> str:
    """A literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'
