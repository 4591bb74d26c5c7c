"""Rows from anywhere into a table of the workbench, a batch at a time: memory stays flat, the disk has the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.core.driving import DriverError
from agent.resources.datasets.duck import Duck, named
from agent.resources.datasets.kinds import Kind
from shared.models.dataset import SnapshotColumn

TABLE = "gathered"
BATCH = 10_000
"""Rows fetched, looked at and appended at once."""


class Gathering:
    """`rows` counts what is in the table. Its columns get the types that their values need."""

    def __init__(self, bench: Duck, names: Sequence[str], hints: Mapping[str, str] | None = None) -> None:
        self._bench = bench
        self.names = check_names(names)
        self._kinds = [Kind((hints or {}).get(name)) for name in self.names]
        self._types: list[str] = []
        self._appender: Any = None
        self.rows = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        columns = [kind.admit(values) for kind, values in zip(self._kinds, zip(*rows, strict=True), strict=True)]
        self._make_room()
        self._appender.append_rows(zip(*columns, strict=True))
        self._appender.flush()
        self.rows += len(rows)

    def finish(self) -> list[SnapshotColumn]:
        """The table stands, an empty one too; its columns."""
        self._make_room()
        self._appender = None
        return columns_of(self._bench, TABLE)

    @property
    def mixed(self) -> list[str]:
        """Columns that are text because their values were of several kinds."""
        return [name for name, kind in zip(self.names, self._kinds, strict=True) if kind.mixed]

    def _make_room(self) -> None:
        wanted = [kind.final for kind in self._kinds]
        if self._appender is not None and wanted == self._types:
            return
        self._appender = None
        if not self._types:
            parts = ", ".join(f"{named(name)} {type_}" for name, type_ in zip(self.names, wanted, strict=True))
            self._bench.execute(f"CREATE OR REPLACE TABLE {TABLE} ({parts})")
        for name, before, after in zip(self.names, self._types, wanted, strict=False):
            if before != after:
                using = f"encode({named(name)}::VARCHAR)" if after == "BLOB" else f"{named(name)}::{after}"
                self._bench.execute(f"ALTER TABLE {TABLE} ALTER {named(name)} TYPE {after} USING {using}")
        self._types = wanted
        self._appender = self._bench.appender(TABLE)


def check_names(names: Iterable[str]) -> list[str]:
    """DriverError where two columns could not be told apart."""
    seen: dict[str, str] = {}
    for name in names:
        if not name or name.lower() in seen:
            which = f"'{name}' twice" if name else "a column without a name"
            raise DriverError("column_name", f"the rows have {which}; give each column a name of its own with AS")
        seen[name.lower()] = name
    return list(seen.values())


def columns_of(bench: Duck, relation: str) -> list[SnapshotColumn]:
    found = bench.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return [SnapshotColumn(name=name, type=type_) for name, type_, *_ in found]
