"""How far an import is, kept in the target itself: in the same transaction as its rows, for what must not be done twice.

The row stays for a month after the import: the attempt that follows a worker which died with its last batch done finds
it, and has nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from agent.core.driving import RunContext

TABLE = "jobdeck_imports"
_KEPT = timedelta(days=30)

Execute = Callable[[str, Mapping[str, Any]], Any]
"""A statement with `:names` and their values -> the first row of what it answers, None where there is none."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Records of the file that are decided, rows that went in, rows that could not."""

    position: int = 0
    imported: int = 0
    errors: int = 0


def begin(execute: Execute, context: RunContext) -> Standing:
    """What this run has done so far, in the target."""
    now = context.clock.now()
    execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (run_key VARCHAR(200) PRIMARY KEY, begun_at VARCHAR(40) NOT NULL,"
        " records_done BIGINT NOT NULL, rows_imported BIGINT NOT NULL, rows_refused BIGINT NOT NULL)",
        {},
    )
    execute(f"DELETE FROM {TABLE} WHERE begun_at < :old", {"old": (now - _KEPT).isoformat()})
    run = {"run": context.idempotency_key}
    found = execute(f"SELECT records_done, rows_imported, rows_refused FROM {TABLE} WHERE run_key = :run", run)
    if found is not None:
        return Standing(*found)
    execute(f"INSERT INTO {TABLE} VALUES (:run, :at, 0, 0, 0)", {**run, "at": now.isoformat()})
    return Standing()


def note(execute: Execute, context: RunContext, standing: Standing) -> None:
    update = f"UPDATE {TABLE} SET records_done = :position, rows_imported = :imported, rows_refused = :errors WHERE run_key = :run"
    execute(update, {"run": context.idempotency_key, **asdict(standing)})


def saved(context: RunContext) -> Standing:
    """As the run's checkpoint has it, for what may be repeated."""
    return Standing(**(context.checkpoint or {}).get("standing", {}))


def save(context: RunContext, standing: Standing) -> None:
    context.save_checkpoint({**(context.checkpoint or {}), "standing": asdict(standing)})
