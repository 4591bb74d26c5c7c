"""A store with a million runs, written straight into its tables: what a year of work leaves behind."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.app import open_agent
from agent.settings import Settings
from agent.store import STORE_FILE
from benchmarks.agents import create_job
from shared.filters.words import words_of

JOBS = 500
DAYS = 30
"""The runs are spread over as many days, the newest now."""

# By a run's own pseudo-random number `h`, of 24 bits; the newest 200 wait for tomorrow.
_STATE = (
    "CASE WHEN i > :count - 200 THEN 'pending' WHEN h / 1024 % 1000 < 50 THEN 'failed' "
    "WHEN h / 1024 % 1000 < 65 THEN 'cancelled' ELSE 'completed' END"
)
_SECONDS = "CASE WHEN h % 7 = 0 THEN h % 3600 ELSE h % 40 END"
_MESSAGES = (
    "connection refused by db-%d.internal:5432",
    "timeout after %d s while reading orders",
    "exit status %d: permission denied",
    "column total_%d does not exist",
    "certificate of host-%d.example has expired",
)


async def seed(data_dir: Path, runs: int, jobs: int = JOBS) -> None:
    """A data directory whose agent has never run any of it."""
    agent = await open_agent(Settings(data_dir=data_dir, bind=""))
    try:
        await create_job(agent, "job 1", "command", data={"command": "true"})
    finally:
        await agent.close()
    with closing(sqlite3.connect(data_dir / STORE_FILE)) as store, store, _without_indexes(store):
        _add_jobs(store, jobs)
        _add_runs(store, runs, jobs)
    with closing(sqlite3.connect(data_dir / STORE_FILE)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _add_jobs(store: sqlite3.Connection, count: int) -> None:
    """Copies of the first one under names of their own, of several types; every tenth has one word more."""
    generated = {"number", "id", "name", "name_key", "slug"}
    stored = [column for _, column, *_, hidden in store.execute("PRAGMA table_xinfo(jobs)") if not hidden]
    columns = ", ".join(column for column in stored if column not in generated)
    store.execute(
        "WITH RECURSIVE copy(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM copy WHERE n < ?) "  # noqa: S608
        f"INSERT INTO jobs (id, name, name_key, slug, {columns}) "
        "SELECT substr(id, 1, 30) || printf('%06x', n), name || n, name_key || n, slug || n, "
        f"{columns} FROM copy, jobs WHERE number = 1",
        (count,),
    )
    types = ("command", "api-call", "command", "kb-sync", "kb-sync", "command", "kb-sync", "kb-reset")
    for number, type_ in enumerate(types):
        store.execute("UPDATE jobs SET type = ? WHERE number % ? = ?", (type_, len(types), number))
    store.execute(
        "INSERT INTO job_text (rowid, name, description) "
        "SELECT number, name_key || CASE WHEN number % 10 THEN '' ELSE ' nightly' END, '' FROM jobs WHERE number > 1"
    )


def _add_runs(store: sqlite3.Connection, count: int, jobs: int) -> None:
    now = time.time_ns() // 1000
    between = DAYS * 86_400_000_000 // count
    message = " ".join(f"WHEN {number} THEN printf('{text}', h % 50)" for number, text in enumerate(_MESSAGES))
    store.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count), "  # noqa: S608
        "mixed(i, h, at) AS (SELECT i, (i * 2654435761 >> 7) & 16777215, :now - (:count - i) * :between FROM n), "
        f"said(i, h, at, state, took) AS (SELECT i, h, at, {_STATE}, ({_SECONDS}) * 1000000 + 4711 FROM mixed) "
        "INSERT INTO runs (id, account_id, job_number, owner_id, type, revision, state, cause, fire_at, created_at, "
        "available_at, chained, started_at, claimed_at, finished_at, attempt, max_attempts, agent_id, worker_id, "
        "priority, concurrency_limit, version, done, total, unit, note, warnings, error_kind, error_message, "
        "error_transient, error_fingerprint, result) "
        "SELECT printf('%08x-%04x-7%03x-8%03x-%012x', at / 1000 >> 16, at / 1000 & 65535, i & 4095, h & 4095, i), "
        "'default', jobs.number, jobs.owner_id, jobs.type, 1, state, 'schedule', at, at, "
        "iif(state = 'pending', at + 86400000000, at), 0, iif(state = 'pending', NULL, at), "
        "iif(state = 'pending', NULL, at), iif(state = 'pending', NULL, max(at, min(:now, at + took))), "
        "state <> 'pending', 3, 'agent', 'w' || (h & 3), 0, 1, 3, h % 5000, 5000, 'rows', '', '[]', "
        f"CASE state WHEN 'failed' THEN 'exit_status' END, CASE state WHEN 'failed' THEN CASE h % 5 {message} END END, "
        "CASE state WHEN 'failed' THEN 0 END, CASE state WHEN 'failed' THEN 'f' || (h % 97) END, "
        "CASE state WHEN 'completed' THEN '{\"rows_synced\":' || (h % 5000) || '}' END "
        f"FROM said JOIN jobs ON jobs.number = h % {jobs} + 1",
        {"count": count, "now": now, "between": between},
    )
    store.execute(
        "INSERT INTO attempts (run_number, attempt, worker_id, claimed_at, ended_at, outcome) "
        "SELECT number, attempt, worker_id, claimed_at, finished_at, state FROM runs WHERE attempt"
    )
    failed = store.execute("SELECT number, error_message FROM runs WHERE error_message IS NOT NULL")
    texts = ((number, " ".join(words_of(message))) for number, message in failed)
    store.executemany("INSERT INTO run_text (rowid, error) VALUES (?, ?)", texts)


@contextmanager
def _without_indexes(store: sqlite3.Connection) -> Iterator[None]:
    """A million rows are written first, and sorted into the indexes then."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'runs' AND sql IS NOT NULL"
    indexes = store.execute(query).fetchall()
    for name, _ in indexes:
        store.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        store.execute(definition)
