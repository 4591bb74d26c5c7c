"""What an import reads: a file below the roots, one that is attached to the action, or a dataset's snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from agent.core.driving import DriverError, RunContext
from agent.resources.connections.inspection import near
from agent.resources.datasets.duck import workbench
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.formats import Format
from agent.resources.datasets.parquet import ParquetFile
from agent.resources.datasets.places import open_file
from agent.resources.datasets.records import MOST_COLUMNS, Bad, Record, read_csv, read_jsonl, too_wide

LOOKED_AT = 10_000
"""Objects of JSON Lines whose names say which columns there are."""
TELL_EVERY = 1000
"""Records between two words about the progress."""
_SHOWN, _LONGEST_NAME = 50, 100
"""Names of columns in one message, and characters of each."""
_BUFFER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """What comes, and how it is read. `name` is that of what `origin` says. `columns`: the file's by the target's names;
    None: by their own. `max_errors` None: any number of rows may be bad."""

    origin: Literal["file", "attachment", "dataset"]
    name: str
    format: Format
    delimiter: str
    columns: Mapping[str, str] | None
    batch_size: int
    max_errors: int | None


class Opened:
    """`header` None: the records are objects. `parquet`: the file, where it is one. How far it is read is told as its
    records are taken: those that were only looked at do not count yet."""

    def __init__(
        self,
        header: list[str] | None,
        records: Iterator[Record | Bad],
        tell: Callable[[float], None],
        parquet: ParquetFile | None = None,
    ) -> None:
        """`tell` is told, now and then, which share of what was read was taken."""
        self.header = header
        self.parquet = parquet
        self._source = records
        self._tell = tell
        self._looked_at: list[Record | Bad] = []

    def names(self) -> list[str]:
        """Of its columns; of objects, those that the first of them have, in the order in which they come."""
        if self.header is not None:
            return self.header
        self._looked_at = self._looked_at or list(islice(self._source, LOOKED_AT))
        found: dict[str, None] = {}
        for record in self._looked_at:
            if isinstance(record, Record) and isinstance(record.values, dict):
                found |= dict.fromkeys(record.values)
                if len(found) > MOST_COLUMNS:
                    raise too_wide(len(found))
        return list(found)

    def first_bad(self) -> Bad | None:
        """Of the records that were looked at for their names."""
        return next((record for record in self._looked_at if isinstance(record, Bad)), None)

    def records(self) -> Iterator[Record | Bad]:
        """All of them, once."""
        ahead = len(self._looked_at)
        for number, record in enumerate(chain(self._looked_at, self._source), 1):
            if number % TELL_EVERY == 0:
                self._tell(min(1.0, number / max(ahead, 1)))
            yield record
        self._tell(1.0)


@contextmanager
def opened(context: RunContext, arrival: Arrival, bench: Any = None) -> Iterator[Opened]:
    """The file, and what it holds; refused if it is another one than the attempt before has read."""
    with _handle(context, arrival) as handle:
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
            else:
                header, records = None, read_jsonl(file)
            yield Opened(header, records, lambda part: context.progress(int(file.tell() * part), size, unit="bytes"))


def mapping_of(opened: Opened, arrival: Arrival, known: Sequence[str] | None) -> dict[str, str]:
    """The file's columns by the target's names. `known`: those of the target; None: it takes any."""
    there = opened.names()
    mapping = dict(arrival.columns) if arrival.columns is not None else {name: name for name in there}
    unknown = set(mapping).difference(there) if opened.header is not None else ()
    if missing := next((name for name in mapping if name in unknown), None):
        raise DriverError("unknown_column", f"the file has no column '{missing}'; {hint(missing, there)}")
    if not mapping:
        if bad := opened.first_bad():
            raise DriverError("bad_row", f"no row can be taken; {bad}")
        raise DriverError("no_rows", "the file has no rows that say which columns there are")
    for source, name in mapping.items():
        if known is not None and name not in known:
            what = f"the table has no column '{name}' for the file's '{source}'"
            raise DriverError("unknown_column", f"{what}; {hint(name, known)}")
    return mapping


def hint(name: str, known: Sequence[str]) -> str:
    """What was meant by a name that is none of those."""
    meant = near(name, list(known))
    if meant:
        return f"did you mean {', '.join(meant)}?"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"there are: {', '.join(each[:_LONGEST_NAME] for each in known[:_SHOWN])}{more}"


@contextmanager
def _handle(context: RunContext, arrival: Arrival) -> Iterator[int]:
    """A descriptor of the plain file that is to be read."""
    if arrival.origin == "file":
        with open_file(context.file_roots, arrival.name) as handle:
            yield handle
        return
    path = _attached(context, arrival.name) if arrival.origin == "attachment" else _snapshot(context, arrival.name)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        what = f"the {arrival.origin} '{arrival.name}' cannot be read: {error.strerror}"
        raise DriverError(arrival.origin, what) from None
    try:
        yield handle
    finally:
        os.close(handle)


def _attached(context: RunContext, name: str) -> Path:
    found = next((one for one in context.attachments if one.name == name and one.type == "file"), None)
    if found is None:
        there = ", ".join(one.name for one in context.attachments if one.type == "file") or "none"
        raise DriverError("attachment", f"no file is attached as '{name}'; there are: {there}")
    if found.path is None:
        raise DriverError("attachment", f"{name}: nothing was uploaded for it yet")
    return Path(found.path)


def _snapshot(context: RunContext, name: str) -> Path:
    """Of the snapshot that the attempt before has read, else of the latest."""
    grant = context.dataset(name)
    folder = SnapshotFolder(Path(grant.path))
    snapshot = folder.require(grant.name, (context.checkpoint or {}).get("snapshot"))
    context.save_checkpoint({**(context.checkpoint or {}), "snapshot": snapshot.id})
    return folder.parquet(snapshot)


def _refuse_another(context: RunContext, handle: int) -> None:
    found = os.fstat(handle)
    seen = {"size": found.st_size, "changed": found.st_mtime_ns}
    before = (context.checkpoint or {}).get("file")
    if before is not None and before != seen:
        raise DriverError("file_changed", "the file is another one than this run began with; start a new run")
    context.save_checkpoint({**(context.checkpoint or {}), "file": seen})


def _parquet(context: RunContext, bench: Any, handle: int) -> Opened:
    file = ParquetFile(bench, Path(f"/dev/fd/{handle}"), context.scratch)
    read = 0

    def counted() -> Iterator[Record]:
        nonlocal read
        for record in file.records():
            read = record.line
            yield record

    names = [column.name for column in file.columns]
    return Opened(names, counted(), lambda _part: context.progress(read, file.rows, unit="rows"), file)
