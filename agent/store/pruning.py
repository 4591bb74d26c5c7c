"""What is over and old goes: looked for by readers, deleted in transactions so small that nobody waits behind one.

A pass goes from the oldest up and says where it stands, so that what is spared is looked at once a pass, not each time.
The ids of deleted runs are kept, in the transaction that deletes them, until their logs are deleted too: a crash in
between leaves no file that nobody knows. Pages and events go by numbers that only grow, so none of them moves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import OldRows
from agent.store import facts
from agent.store.lists import counts, fulltext
from agent.store.rows import chunks
from agent.store.tables import drafts, fires, gone_runs, job_revisions, runs
from shared.models import FireOutcome

LOOKED_AT = 2000
"""Rows in one look."""
_PRUNED = "runs_pruned_up_to"
_BLOB = re.compile(r'"blob": ?"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class _Kind:
    number: sa.Column[int]
    made_at: sa.Column[datetime]
    """Grows with the number, but for a clock that was set back: then the next pass goes further."""
    over_at: sa.Column[datetime]
    is_over: sa.ColumnElement[bool]


_RUNS = _Kind(runs.c.number, runs.c.created_at, runs.c.finished_at, runs.c.finished_at.is_not(None))
# A held fire waits for a decision, however old it is.
_FIRES = _Kind(fires.c.id, fires.c.decided_at, fires.c.decided_at, fires.c.outcome != FireOutcome.HELD)


def old_runs(connection: sa.Connection, after: int, before: datetime, spare: int) -> OldRows:
    """Of the runs behind number `after` those that ended before that moment, but for each job's newest `spare`."""
    return _old(connection, _RUNS, after, before, spare)


def old_fires(connection: sa.Connection, after: int, before: datetime, spare: int) -> OldRows:
    return _old(connection, _FIRES, after, before, spare)


def surplus_runs(connection: sa.Connection, keep: int, most: int) -> list[int]:
    """The oldest of those beyond the newest `keep` that are over."""
    surplus = counts.finished(connection) - keep
    if surplus <= 0:
        return []
    query = sa.select(runs.c.number).where(_RUNS.is_over).order_by(runs.c.number)
    return list(connection.scalars(query.limit(min(surplus, most))))


def delete_runs(connection: sa.Connection, numbers: Sequence[int]) -> int:
    """With all that is theirs: attempts, steps, evidence, checkpoint, words. Those that are not over stay."""
    ids: list[str] = []
    for part in chunks(numbers):
        query = sa.select(runs.c.number, runs.c.id).where(runs.c.number.in_(part), _RUNS.is_over)
        found = connection.execute(query.with_for_update()).all()
        fulltext.forget_errors(connection, [number for number, _ in found])
        connection.execute(sa.delete(runs).where(runs.c.number.in_([number for number, _ in found])))
        ids += [run_id for _, run_id in found]
    if ids:
        connection.execute(sa.insert(gone_runs), [{"run_id": run_id} for run_id in ids])
        facts.put(connection, _PRUNED, max(facts.get(connection, _PRUNED) or "", *ids))
    return len(ids)


def delete_fires(connection: sa.Connection, numbers: Sequence[int]) -> int:
    """From the ledger; what keeps a moment from firing again is the job's high-water mark."""
    gone = 0
    for part in chunks(numbers):
        gone += connection.execute(sa.delete(fires).where(fires.c.id.in_(part), _FIRES.is_over)).rowcount
    return gone


def named_blobs(connection: sa.Connection) -> frozenset[str]:
    """What revisions and drafts name. Definitions are looked at as text: of a hundred thousand jobs few have files."""
    found: set[str] = set()
    for table in (job_revisions, drafts):
        text = sa.type_coerce(table.c.definition, sa.Text)
        for definition in connection.scalars(sa.select(text).where(text.like('%"blob"%'))):
            found.update(_BLOB.findall(definition))
    return frozenset(found)


def may_be_gone(connection: sa.Connection, run_id: str) -> bool:
    """A run of that id would be as old as some that were deleted: ids sort by time."""
    return run_id <= (facts.get(connection, _PRUNED) or "")


def gone(connection: sa.Connection, most: int) -> list[str]:
    """Deleted runs whose logs may still be there."""
    return list(connection.scalars(sa.select(gone_runs.c.run_id).limit(most)))


def forget_gone(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    for part in chunks(run_ids):
        connection.execute(sa.delete(gone_runs).where(gone_runs.c.run_id.in_(part)))


def _old(connection: sa.Connection, kind: _Kind, after: int, before: datetime, spare: int) -> OldRows:
    columns = (kind.number, kind.made_at, kind.over_at, kind.is_over.label("is_over"))
    query = sa.select(*columns).where(kind.number > after).order_by(kind.number).limit(LOOKED_AT)
    looked_at = connection.execute(query).all()
    old = [number for number, _, over_at, is_over in looked_at if is_over and over_at < before]
    more = len(looked_at) == LOOKED_AT and looked_at[-1][1] < before
    return OldRows(_not_spared(connection, kind, old, spare), looked_at[-1][0] if more else None)


def _not_spared(connection: sa.Connection, kind: _Kind, numbers: Sequence[int], spare: int) -> list[int]:
    if spare <= 0:
        return list(numbers)
    table = kind.number.table
    newer = table.alias("newer")
    number = newer.c[kind.number.name]
    enough: sa.Select[Any] = sa.select(number).where(newer.c.job_number == table.c.job_number, number > kind.number)
    enough = enough.order_by(number).offset(spare - 1).limit(1)
    query = sa.select(kind.number).where(enough.exists())
    return [each for part in chunks(numbers) for each in connection.scalars(query.where(kind.number.in_(part)))]
