"""Workers, as their agents tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from agent.store import events
from agent.store.rows import select_where_in
from agent.store.tables import workers
from shared.models import Worker

_FORGOTTEN = timedelta(minutes=5)


def put_workers(connection: sa.Connection, seen: Sequence[Worker], now: datetime) -> None:
    """Write what the agent's workers are, all of them; told only where more than the heartbeat changed. Those of
    agents that have not been heard of for long go; at once in SQLite, where one agent holds the file: others are dead."""
    if not seen:
        return
    found = select_where_in(connection, sa.select(workers), workers.c.id, (worker.id for worker in seen))
    known = {row["id"]: Worker.model_validate(row) for row in found}
    own = workers.c.agent_id.in_({worker.agent_id for worker in seen})
    forgotten = sa.true() if connection.dialect.name == "sqlite" else workers.c.heartbeat_at < now - _FORGOTTEN
    connection.execute(sa.delete(workers).where(own | forgotten))
    connection.execute(sa.insert(workers), [worker.model_dump() for worker in seen])
    changed = [worker for worker in seen if _differs(worker, known.get(worker.id))]
    told = ((events.EVERYBODY, worker.id, worker.model_dump(mode="json", by_alias=True)) for worker in changed)
    events.record(connection, "worker.changed", told, now)


def list_workers(connection: sa.Connection) -> list[Worker]:
    query = sa.select(workers).order_by(workers.c.started_at, workers.c.id)
    return [Worker.model_validate(row) for row in connection.execute(query).mappings()]


def _differs(worker: Worker, before: Worker | None) -> bool:
    return before is None or worker != before.model_copy(update={"heartbeat_at": worker.heartbeat_at})
