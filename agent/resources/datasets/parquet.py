"""Parquet as a source of records: read by DuckDB, confined to the one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError
from agent.resources.datasets.duck import Duck, load_duckdb, named, quoted
from agent.resources.datasets.from_duckdb import kept_as
from agent.resources.datasets.gathering import columns_of
from agent.resources.datasets.records import Record
from shared.models.dataset import SnapshotColumn

_ROWS = 5000
_ZONED = "TIMESTAMP WITH TIME ZONE"


class ParquetFile:
    """`columns` and `rows` of the file behind the path; nothing else can be reached from the bench any more."""

    def __init__(self, bench: Duck, path: Path, *folders: Path) -> None:
        self._bench = bench
        allowed = ", ".join(quoted(f"{folder.resolve()}/") for folder in folders)
        bench.execute(f"SET allowed_paths = [{quoted(str(path))}]")
        bench.execute(f"SET allowed_directories = [{allowed}]")
        bench.execute("SET enable_external_access = false")
        bench.execute("SET lock_configuration = true")
        self._relation = f"read_parquet({quoted(str(path))})"
        self.columns = self._asked(self._describe)
        self.rows: int = self._asked(lambda: bench.execute(f"SELECT count(*) FROM {self._relation}").fetchone()[0])

    def view(self, relation: str, renamed: Mapping[str, str] | None = None) -> list[SnapshotColumn]:
        """The file's rows under a name of the bench, as snapshots have them. `renamed`: which columns, and to what."""
        types = {column.name: column.type for column in self.columns}
        wanted = renamed if renamed is not None else {name: name for name in types}
        chosen = ", ".join(f"{kept_as(named(name), types[name])} AS {named(to)}" for name, to in wanted.items())
        self._bench.execute(f"CREATE OR REPLACE TEMP VIEW {relation} AS SELECT {chosen} FROM {self._relation}")
        return columns_of(self._bench, relation)

    def records(self) -> Iterator[Record]:
        """Row by row; a row's number stands for its line."""
        chosen = ", ".join(_chosen(column) for column in self.columns)
        zoned = [place for place, column in enumerate(self.columns) if column.type == _ZONED]
        cursor = self._bench.cursor()
        cursor.execute(f"SELECT {chosen} FROM {self._relation}")
        number = 0
        while rows := self._asked(lambda: cursor.fetchmany(_ROWS)):
            for row in rows:
                number += 1
                yield Record(number, _with_zone(row, zoned) if zoned else row)

    def _describe(self) -> list[SnapshotColumn]:
        return columns_of(self._bench, self._relation)

    def _asked(self, ask: Any) -> Any:
        try:
            return ask()
        except load_duckdb().Error as error:
            reason = str(error).partition("\n")[0]
            raise DriverError("unreadable", f"the file cannot be read as Parquet: {reason}") from None


def _chosen(column: SnapshotColumn) -> str:
    name = named(column.name)
    return f"timezone('UTC', {name})" if column.type == _ZONED else kept_as(name, column.type)


def _with_zone(row: tuple[Any, ...], zoned: list[int]) -> list[Any]:
    values = list(row)
    for place in zoned:
        if isinstance(values[place], datetime):
            values[place] = values[place].replace(tzinfo=UTC)
    return values
