"""Leases: which run is whose, and what its holder needs of it. Every write for a run goes by the fence that holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from agent.core.records import ClaimedRun, Fence
from agent.store.engine.prepared import Lookup, Prepared
from agent.store.rows import RUN, RUN_FROM, RUN_PARTS, Row, chunks, run_of
from agent.store.tables import HELD, VARIED, attempts, checkpoints, job_revisions, job_statistics, runs, steps
from agent.store.written import read_definition, stand_in
from shared.errors import Unreadable
from shared.models import JobInput
from shared.states import RunState

_steps_open = sa.exists().where(
    steps.c.run_number == runs.c.number, steps.c.attempt == runs.c.attempt, steps.c.state == "running"
)
_checkpoint_kept = sa.exists().where(checkpoints.c.run_number == runs.c.number)

# Statements that every run needs are made once: making one costs more than executing it.
_HOLDERS = Lookup(
    RUN.add_columns(
        sa.type_coerce(job_statistics.c.durations, sa.Text).label("durations"),
        _steps_open.label("has_open_steps"),
        _checkpoint_kept.label("has_checkpoint"),
        VARIED.label("is_varied"),
    )
    .where(HELD)
    .with_for_update(of=runs),
    runs.c.id,
)
WHOLE = (*RUN_PARTS, sa.type_coerce(job_revisions.c.definition, sa.Text).label("written"), checkpoints.c.data)
WHOLE_FROM = RUN_FROM.join(
    job_revisions,
    sa.and_(job_revisions.c.job_number == runs.c.job_number, job_revisions.c.revision == runs.c.revision),
).outerjoin(checkpoints, checkpoints.c.run_number == runs.c.number)
"""All that is needed of a run that is claimed, and where it is found."""
_CLAIMED = Lookup(sa.select(*WHOLE).select_from(WHOLE_FROM), runs.c.number)
INSERT_ATTEMPT = Prepared(sa.insert(attempts), ("run_number", "attempt", "worker_id", "claimed_at"))


def extend(connection: sa.Connection, fences: Sequence[Fence], until: datetime) -> list[Fence]:
    holding = holders(connection, fences)
    for part in chunks(row["number"] for row in holding.values()):
        connection.execute(sa.update(runs).where(runs.c.number.in_(part), HELD).values(lease_until=until))
    return [fence for fence in fences if fence not in holding]


def holders(connection: sa.Connection, fences: Iterable[Fence]) -> dict[Fence, Row]:
    """The fences that hold, each with the row of its run, which stays locked until the commit: all of RUN, the
    durations of its job as they are written, and whether it `has_open_steps`, `has_checkpoint` and `is_varied`."""
    wanted = set(fences)
    found = _HOLDERS.rows(connection, {fence.run_id for fence in wanted})
    holding = {Fence(row["id"], row["attempt"], row["worker_id"]): row for row in found}
    return {fence: row for fence, row in holding.items() if fence in wanted}


def expired(connection: sa.Connection, now: datetime) -> list[ClaimedRun]:
    query = sa.select(runs.c.number).where(HELD, runs.c.lease_until <= now).order_by(runs.c.lease_until)
    return _claimed(connection, connection.scalars(query).all())


def of_other_agents(connection: sa.Connection, agent_id: str) -> list[ClaimedRun]:
    query = sa.select(runs.c.number).where(HELD, runs.c.agent_id != agent_id)
    return _claimed(connection, connection.scalars(query).all())


def changes(row: Row, worker_id: str, lease: Mapping[str, Any]) -> dict[str, Any]:
    """Of the run's row, when the worker gets it; `lease`: by which agent, since and until when."""
    return {"run_number": row["number"], "attempt": row["attempt"] + 1, "worker_id": worker_id, **lease}


def rows_of(connection: sa.Connection, numbers: Sequence[int]) -> list[Row]:
    return list(_CLAIMED.rows(connection, numbers))


def claimed_run(row: Row, *, promised: bool = False) -> ClaimedRun:
    """The run as it is when it has begun: the next version, if it has not yet."""
    definition, unreadable = _definition(row)
    version = row["version"] if row["state"] == RunState.RUNNING else row["version"] + 1
    run = run_of({**row, "state": RunState.RUNNING, "version": version})
    return ClaimedRun(run, definition, definition.policies, row["data"], promised, unreadable)


def _claimed(connection: sa.Connection, numbers: Sequence[int]) -> list[ClaimedRun]:
    return [claimed_run(row) for row in rows_of(connection, numbers)]


def _definition(row: Row) -> tuple[JobInput, str]:
    """Or what stands in for it, and why: one that cannot be read keeps no other run from being claimed or rescued."""
    try:
        return _read(row["written"]), ""
    except Unreadable as refusal:
        return stand_in(row["job_name"], row["type"]), f"revision {row['revision']}: {refusal.message}"


@lru_cache(maxsize=1000)
def _read(written: str) -> JobInput:
    """Of a revision, which never changes: its runs share it, and nobody writes to it."""
    return read_definition(written)
