"""What an attempt says while it runs: progress, steps, checkpoint, warnings. Never moves a run, nor its version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import RunUpdate
from agent.store import events
from agent.store.rows import Row, select_where_in
from agent.store.runs import moves, promises
from agent.store.runs.leases import holders
from agent.store.tables import checkpoints, runs, steps
from shared.models import Progress

_MOST = 2**63 - 1
MOST_WARNINGS = 100
"""Of a run; they are read, written and told as one. What is said beyond them is counted."""
_Held = Sequence[tuple[RunUpdate, Row]]


def write(connection: sa.Connection, updates: Sequence[RunUpdate], now: datetime) -> list[bool]:
    """Apply the updates in order, those whose fence holds; returns of each whether it does.

    A step is a dict with the fields of `wire.StepChanged`: position, key, title, state, at, message, result.
    """
    holding = holders(connection, (update.fence for update in updates))
    held = [(update, holding[update.fence]) for update in updates if update.fence in holding]
    _write_progress(connection, held, now)
    _write_starts(connection, held, now)
    _write_checkpoints(connection, held)
    _write_warnings(connection, held)
    _write_steps(connection, held)
    _tell_changes(connection, held, now)
    return [update.fence in holding for update in updates]


def _write_progress(connection: sa.Connection, held: _Held, now: datetime) -> None:
    latest = {row["number"]: (update.progress, row) for update, row in held if update.progress is not None}
    told = []
    changes = []
    for number, (given, row) in latest.items():
        progress = Progress.model_validate(given)
        changes.append({"of_run": number, **progress.model_dump(), **_clamped(progress)})
        data = {"runId": row["id"], "progress": progress.model_dump(mode="json", by_alias=True)}
        told.append((row["account_id"], row["id"], data))
    _update_runs(connection, ("done", "total", "unit", "note"), changes)
    events.record(connection, "run.progress", told, now)
    totals = {row["id"]: (row["account_id"], update.log_total) for update, row in held if update.log_total is not None}
    grown = ((account, run_id, {"runId": run_id, "total": total}) for run_id, (account, total) in totals.items())
    events.record(connection, "run.log", grown, now)


def _clamped(progress: Progress) -> dict[str, int | None]:
    """A driver may count as far as it likes; one that goes too far must not hold up the others' progress."""
    total = None if progress.total is None else max(-_MOST, min(progress.total, _MOST))
    return {"done": max(-_MOST, min(progress.done, _MOST)), "total": total}


def _write_starts(connection: sa.Connection, held: _Held, now: datetime) -> None:
    starts = {row["number"]: (row, update.started_at) for update, row in held if update.started_at is not None}
    begun = promises.begin(connection, starts.values(), now)
    changes = [
        {"of_run": number, "started_at": started} for number, (_, started) in starts.items() if number not in begun
    ]
    _update_runs(connection, ("started_at",), changes)


def _write_warnings(connection: sa.Connection, held: _Held) -> None:
    changed: dict[int, list[str]] = {}
    for update, row in held:
        if update.warnings:
            changed[row["number"]] = _with_warnings(changed.get(row["number"], row["warnings"]), update.warnings)
    changes = [{"of_run": number, "warnings": warnings} for number, warnings in changed.items()]
    _update_runs(connection, ("warnings",), changes)


def _with_warnings(known: Sequence[str], more: Sequence[str]) -> list[str]:
    """The first of them all, and as the last how many there were besides."""
    counted = _COUNTED.fullmatch(known[-1]) if len(known) > MOST_WARNINGS else None
    every = [*known[:MOST_WARNINGS], *more]
    beyond = len(every) - MOST_WARNINGS + (int(counted[1]) if counted else 0)
    return every if beyond <= 0 else [*every[:MOST_WARNINGS], f"{beyond} more warnings are not kept"]


_COUNTED = re.compile(r"(\d+) more warnings are not kept")


def _update_runs(connection: sa.Connection, names: Sequence[str], changes: Sequence[dict[str, Any]]) -> None:
    if not changes:
        return
    values = {name: sa.bindparam(f"new_{name}", type_=runs.c[name].type) for name in names}
    update = sa.update(runs).where(runs.c.number == sa.bindparam("of_run")).values(values)
    renamed = [{"of_run": change["of_run"], **{f"new_{name}": change[name] for name in names}} for change in changes]
    connection.execute(update, renamed)


def _write_checkpoints(connection: sa.Connection, held: _Held) -> None:
    latest = {row["number"]: update.checkpoint for update, row in held if update.checkpoint is not None}
    if not latest:
        return
    old = sa.delete(checkpoints).where(checkpoints.c.run_number == sa.bindparam("of_run"))
    connection.execute(old, [{"of_run": number} for number in latest])
    connection.execute(
        sa.insert(checkpoints), [{"run_number": number, "data": data} for number, data in latest.items()]
    )


def _write_steps(connection: sa.Connection, held: _Held) -> None:
    latest: dict[tuple[int, int, int], dict[str, Any]] = {}
    for update, row in held:
        for step in update.steps:
            key = (row["number"], update.fence.attempt, step["position"])
            latest[key] = _step_row(key, step, latest.get(key))
    if not latest:
        return
    query = sa.select(steps.c.run_number, steps.c.attempt, steps.c.position, steps.c.started_at)
    found = select_where_in(connection, query, steps.c.run_number, {number for number, _, _ in latest})
    for old in found:
        if (key := (old["run_number"], old["attempt"], old["position"])) in latest:
            latest[key]["started_at"] = old["started_at"]
    mine = (steps.c[name] == sa.bindparam(name) for name in ("run_number", "attempt", "position"))
    connection.execute(sa.delete(steps).where(*mine), list(latest.values()))
    connection.execute(sa.insert(steps), list(latest.values()))


def _step_row(key: tuple[int, int, int], step: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    at = step["at"] if isinstance(step["at"], datetime) else datetime.fromisoformat(step["at"])
    number, attempt, position = key
    return {
        "run_number": number,
        "attempt": attempt,
        "position": position,
        "key": step["key"],
        "title": step["title"],
        "state": step["state"],
        "started_at": before["started_at"] if before else at,
        "finished_at": None if step["state"] == "running" else at,
        "message": step.get("message", ""),
        "result": step.get("result"),
    }


def _tell_changes(connection: sa.Connection, held: _Held, now: datetime) -> None:
    changed = {row["number"] for update, row in held if update.started_at or update.warnings or update.steps}
    if changed:
        events.record_runs(connection, "run.changed", moves.read(connection, changed), now)
