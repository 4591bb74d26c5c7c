"""An import under way: records in, rows out, what does not fit counted with its line and its reason."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
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

    def __init__(
        self,
        names: Sequence[str],
        sorts: Sequence[Sort],
        sources: Sequence[str],
        *,
        strict: bool,
        keys: Sequence[str] = (),
    ) -> None:
        """`sources`: the file's name for each of `names`. `strict`: an object with another name is bad. `keys`: a row
        with NULL in one of them is bad: nothing could tell it from itself when it comes again."""
        self.names = list(names)
        self._keys = [(name, self.names.index(name)) for name in keys]
        self._sorts = list(sorts)
        self._sources = list(sources)
        self._known = set(sources) if strict else None

    def places(self, header: Sequence[str] | None) -> list[int] | None:
        """Where each stands in a record of the file; None where records are objects."""
        if header is None:
            return None
        place = {name: number for number, name in enumerate(header)}
        return [place[source] for source in self._sources]

    def chunk(self, records: Sequence[Record | Bad], places: Sequence[int] | None) -> Chunk:
        """What fits, and what does not."""
        lines, bad = list[Line](), dict[int, Bad]()
        for place, record in enumerate(records):
            if isinstance(record, Bad):
                bad[place] = record
            elif not isinstance(record.values, dict):
                lines.append(Line(place, record.line, [record.values[at] for at in places or ()]))
            elif strange := self._strange(record.values):
                bad[place] = Bad(record.line, "nothing is known of it", strange)
            else:
                lines.append(Line(place, record.line, [record.values.get(source) for source in self._sources]))
        return Chunk(len(records), self._keyed(self._converted(lines, bad), bad), bad)

    def _strange(self, values: Iterable[str]) -> str | None:
        return None if self._known is None else next((name for name in values if name not in self._known), None)

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

    def _keyed(self, lines: list[Line], bad: dict[int, Bad]) -> list[Line]:
        for name, at in self._keys:
            nameless = {line.place: line.line for line in lines if line.row[at] is None}
            bad |= {
                place: Bad(line, "is empty, and rows are told apart by it", name) for place, line in nameless.items()
            }
            lines = [line for line in lines if line.place not in nameless] if nameless else lines
        return lines

    def _one(self, line: Line, bad: dict[int, Bad]) -> Line | None:
        found = list[Any]()
        for name, sort, value in zip(self.names, self._sorts, line.row, strict=True):
            try:
                found.append(convert(sort, value))
            except ValueError as error:
                bad[line.place] = Bad(line.line, str(error), name)
                return None
        return line._replace(row=found)


class Errors:
    """Counts bad rows, tells the first of them, and says when they are too many."""

    def __init__(self, context: RunContext, most: int | None, count: int) -> None:
        """`most` None: there may be any number."""
        self._context = context
        self._most = most
        self.count = count
        self.first: list[dict[str, Any]] = list((context.checkpoint or {}).get("bad", ()))

    def add(self, bad: Sequence[Bad], imported: int) -> None:
        for one in bad:
            self.count += 1
            if len(self.first) < TOLD and all(one.line != told["line"] for told in self.first):
                self.first.append({"line": one.line, "column": one.column, "reason": one.reason})
                self._context.log(str(one), level="warning")
        if bad:
            self._context.save_checkpoint({**(self._context.checkpoint or {}), "bad": self.first})
        if self._most is not None and self.count > self._most:
            rows = "a row" if self.count == 1 else f"{self.count} rows"
            allowed = f", and `max_errors` is {self._most}" if self._most else ""
            raise DriverError(
                "too_many_errors" if self._most else "bad_row",
                f"{rows} cannot be taken{allowed}; the last: {bad[-1]}",
                result={"rowsImported": imported, "errors": self.count, "firstErrors": self.first},
            )


def bring_in(
    context: RunContext,
    target: Target,
    take: Callable[[Sequence[Record | Bad]], Chunk],
    records: Iterable[Record | Bad],
    *,
    batch_size: int,
    max_errors: int | None,
) -> dict[str, Any]:
    """Every record from where an attempt before stopped; `{"rowsImported", "errors", "firstErrors"}`. `take` says which
    rows the target gets of some records."""
    standing = target.standing()
    if standing.position:
        context.log(f"goes on behind record {standing.position}, where an attempt before has stopped")
    errors = Errors(context, max_errors, standing.errors)
    for some in chunks(islice(records, standing.position, None), batch_size):
        context.check_cancelled()
        chunk = take(some)
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
