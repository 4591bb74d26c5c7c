"""From a file into a table, or into a dataset's next snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from agent.core.driving import DriverError, RunContext
from agent.core.wire import ConnectionGrant, DatasetGrant
from agent.resources.connections import TableInfo
from agent.resources.connections.inspection import near
from agent.resources.datasets.converting import Sort
from agent.resources.datasets.duck import workbench
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.formats import Format
from agent.resources.datasets.gathering import BATCH, TABLE, Gathering
from agent.resources.datasets.intake import Columns, Errors, bring_in, chunks
from agent.resources.datasets.parquet import ParquetFile
from agent.resources.datasets.places import open_file
from agent.resources.datasets.records import Bad, Record, read_csv, read_jsonl
from agent.resources.datasets.refreshing import drop_kept, sweep, told
from agent.resources.datasets.storing import snapshot_id, store_snapshot
from agent.resources.datasets.targets import SqlTarget, Target, describe, sort_of
from agent.resources.datasets.to_duckdb import DuckTarget
from agent.resources.knowledge.lock import writer_lock

LOOKED_AT = 10_000
"""Objects of JSON Lines whose names say which columns there are."""
_TELL_EVERY = 1000
_BUFFER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """What comes: where it lies, and how it is read. `columns`: the file's by the target's names; None: by their own."""

    path: str
    format: Format
    delimiter: str
    columns: Mapping[str, str] | None
    batch_size: int
    max_errors: int


@dataclass(slots=True)
class _Opened:
    """`header` None: the records are objects. `parquet`: the file, where it is one."""

    header: list[str] | None
    records: Iterator[Record | Bad]
    parquet: ParquetFile | None = None


def into_table(
    context: RunContext,
    arrival: Arrival,
    grant: ConnectionGrant,
    table: str,
    *,
    upsert: bool,
    keys: Sequence[str] | None,
) -> dict[str, Any]:
    """`{"rowsImported", "errors", "firstErrors"}`."""
    described = describe(grant, table)
    with (
        _opened(context, arrival) as opened,
        context.step("import", f"Import {arrival.path} into {grant.name}.{table}"),
    ):
        mapping = _mapping(opened, arrival, list(described.columns))
        sorts = [sort_of(described.columns[name].type, grant.kind) for name in mapping.values()]
        columns = Columns(list(mapping.values()), sorts, list(mapping))
        target = _target(
            context, grant, described, columns.names, _keys(described, columns.names, keys) if upsert else None
        )
        try:
            return bring_in(
                context,
                target,
                columns,
                opened.records,
                opened.header,
                batch_size=arrival.batch_size,
                max_errors=arrival.max_errors,
            )
        finally:
            target.close()


def into_dataset(
    context: RunContext, arrival: Arrival, grant: DatasetGrant, types: Mapping[str, Sort]
) -> dict[str, Any]:
    """The file as the dataset's next snapshot: `{"rowsImported", "errors", "firstErrors", "snapshot"}`."""
    folder = SnapshotFolder(Path(grant.path))
    with writer_lock(folder.path, context, grant.name, "dataset"):
        sweep(context, folder)
        done = folder.find(snapshot_id(grant.id, context.idempotency_key))
        if done is not None:
            context.log(f"the attempt before has stored the snapshot {done.id} already")
            return {"rowsImported": done.rows, "errors": 0, "firstErrors": [], **told(done)}
        errors = Errors(context, arrival.max_errors, 0)
        with workbench(context) as bench:
            with context.step("read", f"Read {arrival.path}"), _opened(context, arrival, bench) as opened:
                if opened.parquet is not None and not types:
                    columns = opened.parquet.view(TABLE, _mapping(opened, arrival, None))
                    done = store_snapshot(context, bench, grant, context.idempotency_key, columns)
                else:
                    columns = _gather(context, bench, opened, arrival, types, errors)
            if done is None:
                with context.step("store", "Store it as a snapshot"):
                    done = store_snapshot(context, bench, grant, context.idempotency_key, columns)
        drop_kept(context, folder, grant)
    return {"rowsImported": done.rows, "errors": errors.count, "firstErrors": errors.first, **told(done)}


def _gather(
    context: RunContext,
    bench: Any,
    opened: _Opened,
    arrival: Arrival,
    types: Mapping[str, Sort],
    errors: Errors,
) -> Any:
    mapping = _mapping(opened, arrival, None)
    strange = [name for name in types if name not in mapping]
    if strange:
        raise DriverError("unknown_column", f"`types` names '{strange[0]}', and the file has only {', '.join(mapping)}")
    plain: Sort = "text" if arrival.format == "csv" else "any"
    columns = Columns(list(mapping.values()), [types.get(name, plain) for name in mapping], list(mapping))
    places = columns.places(opened.header) if opened.header is not None else None
    gathering = Gathering(bench, columns.names)
    for some in chunks(opened.records, BATCH):
        context.check_cancelled()
        chunk = columns.chunk(some, places)
        errors.add([chunk.bad[place] for place in sorted(chunk.bad)], gathering.rows)
        gathering.add([line.row for line in chunk.lines])
    return gathering.finish()


@contextmanager
def _opened(context: RunContext, arrival: Arrival, bench: Any = None) -> Iterator[_Opened]:
    """The file, and what it holds; refused if it is another one than the attempt before has read."""
    with open_file(context.file_roots, arrival.path) as handle:
        _refuse_another(context, handle)
        if arrival.format == "parquet":
            if bench is not None:
                yield _parquet(context, bench, handle)
                return
            with workbench(context) as own:
                yield _parquet(context, own, handle)
            return
        with open(os.dup(handle), "rb", buffering=_BUFFER) as file:  # noqa: PTH123  (a descriptor)
            size = os.fstat(handle).st_size
            if arrival.format == "csv":
                header, records = read_csv(file, arrival.delimiter)
                yield _Opened(header, _telling(context, records, file, size))
            else:
                yield _Opened(None, _telling(context, read_jsonl(file), file, size))


def _parquet(context: RunContext, bench: Any, handle: int) -> _Opened:
    file = ParquetFile(bench, Path(f"/dev/fd/{handle}"), context.scratch)
    return _Opened([column.name for column in file.columns], _counting(context, file), file)


def _counting(context: RunContext, file: ParquetFile) -> Iterator[Record | Bad]:
    for record in file.records():
        if record.line % _TELL_EVERY == 0:
            context.progress(record.line, file.rows, unit="rows")
        yield record
    context.progress(file.rows, file.rows, unit="rows")


def _telling(context: RunContext, records: Iterable[Record | Bad], file: BinaryIO, size: int) -> Iterator[Record | Bad]:
    for number, record in enumerate(records, 1):
        if number % _TELL_EVERY == 0:
            context.progress(file.tell(), size, unit="bytes")
        yield record
    context.progress(size, size, unit="bytes")


def _refuse_another(context: RunContext, handle: int) -> None:
    found = os.fstat(handle)
    seen = {"size": found.st_size, "changed": found.st_mtime_ns}
    before = (context.checkpoint or {}).get("file")
    if before is not None and before != seen:
        raise DriverError("file_changed", "the file is another one than this run began with; start a new run")
    context.save_checkpoint({**(context.checkpoint or {}), "file": seen})


def _mapping(opened: _Opened, arrival: Arrival, known: Sequence[str] | None) -> dict[str, str]:
    """The file's columns by the target's names. `known`: those of the target; None: it takes any."""
    there = opened.header if opened.header is not None else _look(opened)
    mapping = dict(arrival.columns) if arrival.columns is not None else {name: name for name in there}
    if opened.header is not None and (missing := [name for name in mapping if name not in there]):
        raise DriverError("unknown_column", f"the file has no column '{missing[0]}'; it has {', '.join(there)}")
    if not mapping:
        raise DriverError("no_rows", "the file has no rows that say which columns there are")
    for source, name in mapping.items():
        if known is not None and name not in known:
            meant = near(name, list(known))
            hint = f"did you mean {', '.join(meant)}?" if meant else f"there are: {', '.join(known)}"
            raise DriverError("unknown_column", f"the table has no column '{name}' for the file's '{source}'; {hint}")
    return mapping


def _look(opened: _Opened) -> list[str]:
    """Names of the first objects, in the order in which they come; the records stay to be read."""
    first = list(islice(opened.records, LOOKED_AT))
    opened.records = chain(first, opened.records)
    names: dict[str, None] = {}
    for record in first:
        if isinstance(record, Record) and isinstance(record.values, dict):
            names |= dict.fromkeys(record.values)
    return list(names)


def _keys(table: TableInfo, columns: Sequence[str], given: Sequence[str] | None) -> list[str]:
    """DriverError where an upsert could not tell rows apart."""
    keys = list(given or table.primary_key)
    if not keys:
        raise DriverError("key_columns", f"the table '{table.name}' has no primary key; name `key_columns`")
    missing = [key for key in keys if key not in columns]
    if missing:
        raise DriverError("key_columns", f"the file has no column for the key '{missing[0]}'")
    if set(keys) != set(table.primary_key) and frozenset(keys) not in table.unique:
        shown = ", ".join(keys)
        raise DriverError("key_columns", f"nothing says that {shown} is unique in '{table.name}'; make a unique index")
    return keys


def _target(
    context: RunContext, grant: ConnectionGrant, table: TableInfo, columns: Sequence[str], keys: Sequence[str] | None
) -> Target:
    make = DuckTarget if grant.kind == "duckdb" else SqlTarget
    return make(context, grant, table, columns, keys)
