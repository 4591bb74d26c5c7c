"""The file that is a knowledge base's truth: its schema, and how it is opened for writing and for reading.

A *share* is the content of one origin (connection and table) in one generation. Exactly one share of an origin is
live; another may be building aside. A row's id is never used twice and grows with every commit, and a row whose
text changes gets a new one: what was derived up to an id stays right, newer rows are those with greater ids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.core.driving import DriverError

FILE_NAME = "knowledge.sqlite"
SCHEMA_VERSION = 4
BUSY_SECONDS = 30.0

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 1);

CREATE TABLE shares (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'building', 'dead')),
    embedder TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    key_columns TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    row_count INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX one_live_share ON shares (origin) WHERE state = 'live';
CREATE UNIQUE INDEX one_building_share ON shares (origin) WHERE state = 'building';

CREATE TABLE rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    share INTEGER NOT NULL REFERENCES shares (id),
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    attributes TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    attributes_hash BLOB NOT NULL,
    vector BLOB NOT NULL,
    source_attributes TEXT,
    UNIQUE (share, key)
);

CREATE TABLE checkpoints (
    share INTEGER PRIMARY KEY REFERENCES shares (id),
    scope TEXT NOT NULL,
    watermark TEXT,
    scan TEXT,
    run_id TEXT NOT NULL,
    counts TEXT NOT NULL
);

CREATE TABLE seen (share INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (share, row)) WITHOUT ROWID;

CREATE VIRTUAL TABLE rows_text USING fts5 (
    text, content = 'rows', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2"
);
"""
_ATTRIBUTES = """
CREATE TABLE forms (origin TEXT PRIMARY KEY, form TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE replacements (
    run_id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    scan TEXT,
    counts TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE replaced (
    row INTEGER PRIMARY KEY,
    attributes TEXT NOT NULL,
    attributes_hash BLOB NOT NULL,
    source_attributes TEXT,
    made_from BLOB NOT NULL,
    read_values TEXT
);
"""
_DOCUMENTS = """
CREATE TABLE documents (
    share INTEGER NOT NULL REFERENCES shares (id),
    name TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    chunks INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (share, name)
) WITHOUT ROWID;
"""
# Version 1 kept the full-text index by triggers: a statement of its own for each row, at ten times the cost.
_FROM_1 = """
DROP TRIGGER rows_text_insert;
DROP TRIGGER rows_text_delete;
"""
# Version 2 showed attributes only as the source has them.
_FROM_2 = "ALTER TABLE rows ADD COLUMN source_attributes TEXT;" + _ATTRIBUTES + _DOCUMENTS
# Version 3 knew nothing of documents.
_STEPS = {0: _SCHEMA + _ATTRIBUTES + _DOCUMENTS, 1: _FROM_1 + _FROM_2, 2: _FROM_2, 3: _DOCUMENTS}


def open_for_writing(folder: Path) -> sqlite3.Connection:
    """The knowledge base in `folder`, made if there is none; the caller holds its writer lock.

    Autocommit: transactions are written out (`transaction`). DriverError if a newer Jobdeck made the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    connection = _connect(folder / FILE_NAME)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # Batch and checkpoint are one transaction: what a power cut takes back, it takes back whole.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA wal_autocheckpoint = 16384")
        _migrate(connection, folder)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(folder: Path) -> sqlite3.Connection:
    """A connection that cannot change the file; FileNotFoundError if there is none."""
    path = folder / FILE_NAME
    if not path.exists():
        raise FileNotFoundError(path)
    connection = _connect(path)
    try:
        _check_version(connection, folder)
        # How many rows each word stands in; a view of the full-text index that lives in the connection only.
        connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, rows_text, row)")
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # on a full disk, SQLite has ended it by itself
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA cache_size = -65536")
    return connection


def _migrate(connection: sqlite3.Connection, folder: Path) -> None:
    with transaction(connection):
        version = _check_version(connection, folder)
        if version == SCHEMA_VERSION:
            return
        for statement in _statements(_STEPS[version]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check_version(connection: sqlite3.Connection, folder: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise DriverError(
            "knowledge_base_version",
            f"the knowledge base in {folder} has schema {version}; this Jobdeck knows up to {SCHEMA_VERSION}: upgrade it",
        )
    return version


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
