"""A table that never rests: rows are added and changed all the while, each change with a greater filter value."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

REST = 0.02
"""Seconds between two transactions."""
_WITHOUT_VALUE = 0.02


class Shop:
    """Table `orders` (id, product, description, changed); `changed` is NULL in some rows, which nobody is promised."""

    def __init__(self, path: Path, rows: int, seed: int) -> None:
        self.path = path
        self.writes = 0
        self._chance = random.Random(f"{seed} shop")
        self._changed = 0
        self._last_id = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._trade, name="shop")
        with closing(self._connect()) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, description TEXT, changed INTEGER)"
            )
            database.execute("CREATE INDEX ix_changed ON orders (changed)")
            self._add(database, rows)
            database.commit()

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def promised(self) -> dict[str, str]:
        """Key to text of every row that has a filter value."""
        with closing(self._connect()) as database:
            rows = database.execute("SELECT id, product, description FROM orders WHERE changed IS NOT NULL")
            return {str(id_): f"{product}\n{description}" for id_, product, description in rows}

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)

    def _trade(self) -> None:
        with closing(self._connect()) as database:
            while not self._stop.wait(REST):
                self._add(database, self._chance.randint(1, 10))
                self._change(database, self._chance.randint(1, 20))
                database.commit()
                self.writes += 1

    def _add(self, database: sqlite3.Connection, count: int) -> None:
        rows = []
        for _ in range(count):
            self._last_id += 1
            changed = None if self._chance.random() < _WITHOUT_VALUE else self._next()
            rows.append((self._last_id, f"lamp {self._last_id}", f"as it was at {self._changed}", changed))
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)

    def _change(self, database: sqlite3.Connection, count: int) -> None:
        """Some of them had no value before: now they are promised."""
        for id_ in self._chance.choices(range(1, self._last_id + 1), k=count):
            changed = self._next()
            description = f"as it was at {changed}"
            database.execute("UPDATE orders SET description = ?, changed = ? WHERE id = ?", (description, changed, id_))

    def _next(self) -> int:
        self._changed += 1
        return self._changed
