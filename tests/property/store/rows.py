"""The store's file, read beside the store: what is true on the disk, whatever the store's own queries say of it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Rows:
    """Each reading sees what is committed by then, and is not to be changed. Moments are microseconds."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._file.row_factory = sqlite3.Row
        self._version = 0
        self._read: dict[str, list[Row]] = {}

    def close(self) -> None:
        self._file.close()

    def runs(self) -> dict[str, Row]:
        """By id, in the order of their numbers."""
        return {row["id"]: row for row in self._all("SELECT * FROM runs ORDER BY number")}

    def jobs(self) -> dict[str, Row]:
        return {row["id"]: row for row in self._all("SELECT * FROM jobs ORDER BY number")}

    def attempts(self) -> list[Row]:
        return self._all("SELECT * FROM attempts ORDER BY run_number, attempt")

    def fires(self) -> list[Row]:
        return self._all("SELECT * FROM fires ORDER BY job_number, fire_at")

    def late_results(self) -> list[Row]:
        return self._all("SELECT * FROM late_results ORDER BY number")

    def counts(self, table: str) -> list[Row]:
        return self._all(f"SELECT * FROM {table} WHERE count <> 0")

    def said(self, run_number: int) -> list[list[Row]]:
        """What the attempts of a run have left beside its row."""
        return [
            self._all(f"SELECT * FROM {table} WHERE run_number = {run_number}") for table in ("checkpoints", "steps")
        ]

    def events(self, after: int) -> list[Row]:
        found = self._all(f"SELECT * FROM events WHERE id > {after} ORDER BY id")
        return [{**row, "data": json.loads(row["data"])} for row in found]

    def _all(self, query: str) -> list[Row]:
        """Read again only if somebody has committed meanwhile."""
        [version] = self._file.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version, self._read = version, {}
        if query not in self._read:
            self._read[query] = [dict(row) for row in self._file.execute(query)]
        return self._read[query]
