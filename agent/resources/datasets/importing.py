"""From a file into a table, or into a dataset's next snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.core.wire import ConnectionGrant, DatasetGrant
from agent.resources.connections import TableInfo, look_up
from agent.resources.datasets.arrival import Arrival, Opened, mapping_of, opened
from agent.resources.datasets.converting import Sort
from agent.resources.datasets.duck import workbench
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.gathering import BATCH, TABLE, Gathering
from agent.resources.datasets.intake import Columns, Errors, bring_in, chunks
from agent.resources.datasets.refreshing import drop_kept, sweep, told
from agent.resources.datasets.storing import snapshot_id, store_snapshot
from agent.resources.datasets.targets import SqlTarget, Target, sort_of
from agent.resources.datasets.to_duckdb import DuckTarget
from agent.resources.knowledge.lock import writer_lock


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
    described = look_up(grant, table)
    with (
        opened(context, arrival) as file,
        context.step("import", f"Import {arrival.name} into {grant.name}.{table}"),
    ):
        mapping = mapping_of(file, arrival, list(described.columns))
        sorts = [sort_of(described.columns[name].type, grant.kind) for name in mapping.values()]
        told_apart = _keys(described, list(mapping.values()), keys) if upsert else None
        columns = _columns(arrival, mapping, sorts, told_apart or ())
        target = _target(context, grant, described, columns.names, told_apart)
        try:
            take = partial(columns.chunk, places=columns.places(file.header))
            return bring_in(
                context, target, take, file.records(), batch_size=arrival.batch_size, max_errors=arrival.max_errors
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
            with context.step("read", f"Read {arrival.name}"), opened(context, arrival, bench) as file:
                if file.parquet is not None and not types:
                    columns = file.parquet.view(TABLE, mapping_of(file, arrival, None))
                    done = store_snapshot(context, bench, grant, context.idempotency_key, columns)
                else:
                    columns = _gather(context, bench, file, arrival, types, errors)
            if done is None:
                with context.step("store", "Store it as a snapshot"):
                    done = store_snapshot(context, bench, grant, context.idempotency_key, columns)
        drop_kept(context, folder, grant)
    return {"rowsImported": done.rows, "errors": errors.count, "firstErrors": errors.first, **told(done)}


def _gather(
    context: RunContext,
    bench: Any,
    file: Opened,
    arrival: Arrival,
    types: Mapping[str, Sort],
    errors: Errors,
) -> Any:
    mapping = mapping_of(file, arrival, None)
    strange = [name for name in types if name not in mapping]
    if strange:
        raise DriverError("unknown_column", f"`types` names '{strange[0]}', and the file has only {', '.join(mapping)}")
    plain: Sort = "text" if arrival.format == "csv" else "any"
    columns = _columns(arrival, mapping, [types.get(name, plain) for name in mapping])
    places = columns.places(file.header)
    gathering = Gathering(bench, columns.names)
    for some in chunks(file.records(), BATCH):
        context.check_cancelled()
        chunk = columns.chunk(some, places)
        errors.add([chunk.bad[place] for place in sorted(chunk.bad)], gathering.rows)
        gathering.add([line.row for line in chunk.lines])
    return gathering.finish()


def _columns(arrival: Arrival, mapping: Mapping[str, str], sorts: Sequence[Sort], keys: Sequence[str] = ()) -> Columns:
    """Columns that are named are those that are wanted; else an object's other names are told, not lost."""
    return Columns(list(mapping.values()), sorts, list(mapping), strict=arrival.columns is None, keys=keys)


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
