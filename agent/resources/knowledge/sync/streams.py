"""Several tables in one run: each on its own, with its own origin, watermark and checkpoint; failures told by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar, cast

from agent.core.driving import DriverError, RunContext
from agent.resources.knowledge.sync.counts import Counts
from agent.resources.knowledge.sync.parameters import TableParameters

T = TypeVar("T", bound=TableParameters)
_TOTALS = (*(field.name for field in fields(Counts)), "rows_null_filter")


def of_each(
    context: RunContext, tables: Sequence[T], work: Callable[[RunContext, T], dict[str, Any]], *, several: bool
) -> dict[str, Any]:
    """The work on each table; of several the sums, and each one's own in `streams`. One that fails keeps none of the
    others from going on; DriverError `streams_failed` then names them. The next attempt leaves out those that are done."""
    if not several:
        return work(context, tables[0])
    done: dict[str, dict[str, Any]] = dict((context.checkpoint or {}).get("streams", {}))
    failed: dict[str, DriverError] = {}
    for place, table in enumerate(tables, 1):
        name = table.source_table
        if name in done:
            continue
        context.check_cancelled()
        part = cast("RunContext", _Part(context, name, place, len(tables)))
        try:
            done[name] = work(part, table)
        except DriverError as error:
            context.log(f"stream {name} failed: {error.kind}: {error.message}", level="error")
            failed[name] = error
            continue
        context.save_checkpoint({"streams": done})
    if failed:
        raise _failure(failed, len(tables))
    totals = {name: sum(result.get(name, 0) for result in done.values()) for name in _TOTALS}
    return {**totals, "streams": [{"stream": table.source_table, **done[table.source_table]} for table in tables]}


def _failure(failed: dict[str, DriverError], count: int) -> DriverError:
    told = "; ".join(f"{name}: {error.message}" for name, error in failed.items())
    transient = all(error.transient for error in failed.values())
    return DriverError("streams_failed", f"{len(failed)} of {count} streams failed: {told}", transient=transient)


class _Part:
    """The run as the work on one of its streams sees it."""

    def __init__(self, context: RunContext, name: str, place: int, count: int) -> None:
        self._context = context
        self._name = f"{name} ({place} of {count})"
        self._behind = place - 1
        self._count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def progress(self, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None:
        """In percent of all streams, each an equal part: how many rows those have that come later, nobody knows yet."""
        share = min(1.0, done / total) if total else 0.0
        told = note or f"{done:,}{f' of {total:,}' if total else ''} {unit}".rstrip()
        percent = int(100 * (self._behind + share) / self._count)
        self._context.progress(percent, 100, unit="%", note=f"{self._name}: {told}")
