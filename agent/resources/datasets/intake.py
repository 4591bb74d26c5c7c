"""An import under way: records in, rows out, what does not fit counted with its line and its reason."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from agent.core.driving import DriverError, RunContext
from agent.resources.datasets.converting import CONVERTERS, Sort, convert
from agent.resources.datasets.records import Bad, Record
from agent.resources.datasets.standing import Standing
from agent.resources.datasets.targets import RowRefused, Target

TOLD = 100
"""Bad rows that are told in the log by line; the rest is counted."""


class Line(NamedTuple):
    """A row: its place in the chunk, the line that it stood on, its values."""

    place: int
    line: int
    row: list[Any]


class Chunk(NamedTuple):
    """So many records: those that fit, and the rest by their places."""

    size: int
    lines: list[Line]
    bad: dict[int, Bad]


class Columns:
    """The columns of the target: which of the file's go where, and what each takes."""

    def __init__(self, names: Sequence[str], sorts: Sequence[Sort], sources: Sequence[str]) -> None:
        """`sources`: the file's name for each of `names`."""
        self.names = list(names)
        self._sorts = list(sorts)
        self._sources = list(sources)
        self._known = set(sources)

    def places(self, header: Sequence[str]) -> list[int]:
        """Where each stands in a record of the file."""
        place = {name: number for number, name in enumerate(header)}
        return [place[source] for source in self._sources]

    def chunk(self, records: Sequence[Record | Bad], header: Sequence[int] | None) -> Chunk:
        """What fits, and what does not. `header`: the places in a record; None: the records are objects."""
        lines, bad = list[Line](), dict[int, Bad]()
        for place, record in enumerate(records):
            if isinstance(record, Bad):
                bad[place] = record
            elif not isinstance(record.values, dict):
                lines.append(Line(place, record.line, [record.values[at] for at in header or ()]))
            elif strange := next((name for name in record.values if name not in self._known), None):
                bad[place] = Bad(record.line, f"has '{strange}', which nothing is known of")
            else:
                lines.append(Line(place, record.line, [record.values.get(source) for source in self._sources]))
        return Chunk(len(records), self._converted(lines, bad), bad)

    def _converted(self, lines: list[Line], bad: dict[int, Bad]) -> list[Line]:
        """Column by column; one by one where a value does not fit."""
        if not lines:
            return lines
        try:
            columns = [
                [None if value is None else change(value) for value in column]
                for change, column in zip(
                    [CONVERTERS[sort] for sort in self._sorts],
                    zip(*[line.row for line in lines], strict=True),
                    strict=True,
                )
            ]
        except ValueError:
            return [found for line in lines if (found := self._one(line, bad)) is not None]
        return [line._replace(row=list(row)) for line, row in zip(lines, zip(*columns, strict=True), strict=True)]

    def _one(self, line: Line, bad: dict[int, Bad]) -> Line | None:
        found = list[Any]()
        for name, sort, value in zip(self.names, self._sorts, line.row, strict=True):
            try:
                found.append(convert(sort, value))
            except ValueError as error:
                bad[line.place] = Bad(line.line, f"{name}: {error}")
                return None
        return line._replace(row=found)


class Errors:
    """Counts bad rows, tells the first of them, and says when they are too many."""

    def __init__(self, context: RunContext, most: int, count: int) -> None:
        self._context = context
        self._most = most
        self.count = count
        self.first: list[dict[str, Any]] = []

    def add(self, bad: Sequence[Bad], imported: int) -> None:
        for one in bad:
            self.count += 1
            if len(self.first) < TOLD:
                self.first.append({"line": one.line, "reason": one.reason})
                self._context.log(f"line {one.line}: {one.reason}", level="warning")
        if self.count > self._most:
            last = bad[-1]
            raise DriverError(
                "too_many_errors",
                f"{self.count} rows cannot be taken, and `max_errors` is {self._most}; the last: line {last.line}:"
                f" {last.reason}",
                result={"rowsImported": imported, "errors": self.count},
            )


def bring_in(
    context: RunContext,
    target: Target,
    columns: Columns,
    records: Iterable[Record | Bad],
    header: Sequence[str] | None,
    *,
    batch_size: int,
    max_errors: int,
) -> dict[str, Any]:
    """Every record from where an attempt before stopped; `{"rowsImported", "errors"}`. `header` None: objects."""
    standing = target.standing()
    if standing.position:
        context.log(f"goes on behind record {standing.position}, where an attempt before has stopped")
    places = columns.places(header) if header is not None else None
    errors = Errors(context, max_errors, standing.errors)
    for some in chunks(islice(records, standing.position, None), batch_size):
        context.check_cancelled()
        chunk = columns.chunk(some, places)
        errors.add([chunk.bad[place] for place in sorted(chunk.bad)], standing.imported)
        standing = _Writing(target, chunk, standing, errors).write()
    return {"rowsImported": standing.imported, "errors": standing.errors, "firstErrors": errors.first}


class _Writing:
    """One chunk on its way into the target: all at once; where a row is refused, by halves, until it stands alone."""

    def __init__(self, target: Target, chunk: Chunk, before: Standing, errors: Errors) -> None:
        self._target = target
        self._chunk = chunk
        self._before = before
        self._errors = errors
        self._bad = sorted(chunk.bad)
        self._imported = 0
        self._refused = 0

    def write(self) -> Standing:
        return self._piece(0, len(self._chunk.lines))

    def _piece(self, start: int, end: int) -> Standing:
        """The lines from `start` to `end`, and whatever was bad among them."""
        lines = self._chunk.lines[start:end]
        after = self._after(end, imported=len(lines))
        try:
            self._target.write([line.row for line in lines], after)
        except RowRefused as refusal:
            if len(lines) > 1:
                half = start + len(lines) // 2
                self._piece(start, half)
                return self._piece(half, end)
            return self._refuse(Bad(lines[0].line, str(refusal)), end)
        self._imported += len(lines)
        return after

    def _refuse(self, bad: Bad, end: int) -> Standing:
        self._refused += 1
        after = self._after(end)
        self._target.write([], after)
        self._errors.add([bad], after.imported)
        return after

    def _after(self, end: int, imported: int = 0) -> Standing:
        """How far the import is when the lines up to `end` are decided: with them what is bad before the next one."""
        lines = self._chunk.lines
        reached = self._chunk.size if end == len(lines) else lines[end].place
        return Standing(
            self._before.position + reached,
            self._before.imported + self._imported + imported,
            self._before.errors + bisect_left(self._bad, reached) + self._refused,
        )


def chunks(records: Iterator[Record | Bad], size: int) -> Iterator[list[Record | Bad]]:
    while chunk := list(islice(records, size)):
        yield chunk
