"""Offers: what a claim has for the one run that is made right before it, in the same transaction and with nothing else.

Such a run begins as it is made, and is written once, as what it has become. To insert it as waiting, to find it and to
change it costs twice as much, and most runs that somebody asks for in a quiet hour are of this kind. Where a claim could
have chosen another run, or would have to look further, nothing is taken, and both are written as always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa

from agent.core.records import ClaimedRun, NewRun
from agent.store.engine.prepared import Prepared
from agent.store.rows import Row
from agent.store.runs import leases, making
from agent.store.tables import runs
from shared.states import RunState

_OFFER = "offer"
"""Where a connection keeps the one that is open."""
_BY_HAND = ("manual", "api")
"""Of these no window is asked."""

_INSERT = Prepared(
    sa.insert(runs), (*making.COLUMNS, "started_at", "claimed_at", "agent_id", "worker_id", "lease_until")
)


class Offer:
    """One worker's place; open while two writes, the run's and the claim's, are tried together."""

    def __init__(
        self, connection: sa.Connection, worker_id: str, agent_id: str, lease_until: datetime, now: datetime
    ) -> None:
        self.now = now
        self.lease = {"worker_id": worker_id, "agent_id": agent_id, "lease_until": lease_until, "claimed_at": now}
        self.taken: ClaimedRun | None = None
        self._connection = connection

    def __enter__(self) -> Self:
        self._connection.info[_OFFER] = self
        return self

    def __exit__(self, *_error: object) -> None:
        del self._connection.info[_OFFER]


def open_at(connection: sa.Connection, new: Sequence[NewRun]) -> datetime | None:
    """As of when `insert` has to know what these come before; None: nothing is offered to them."""
    offer: Offer | None = connection.info.get(_OFFER)
    return None if offer is None or len(new) != 1 else offer.now


def insert(
    connection: sa.Connection, new: Sequence[NewRun], rows: Sequence[dict[str, Any]], owners: Mapping[str, Row]
) -> range | None:
    """The number of the one run, if it has begun; None: nothing is written. `owners`: see `making.jobs_of`."""
    offer: Offer | None = connection.info.get(_OFFER)
    if offer is None or len(new) != 1 or not _may_begin(new[0], rows[0], owners[new[0].job_id], offer.now):
        return None
    row = {**rows[0], **offer.lease, "state": RunState.RUNNING, "started_at": offer.now, "attempt": 1, "version": 2}
    numbers = _INSERT.numbers(connection, [row])
    leases.INSERT_ATTEMPT.each(connection, [{**row, "run_number": numbers[0]}])
    job = owners[new[0].job_id]
    offer.taken = leases.claimed_run({**making.whole(row, job, numbers[0]), "written": job["written"], "data": None})
    return numbers


def taken(connection: sa.Connection) -> ClaimedRun | None:
    """The run that has begun in this transaction; there is none beside it that could."""
    offer: Offer | None = connection.info.get(_OFFER)
    return None if offer is None else offer.taken


def _may_begin(run: NewRun, row: Mapping[str, Any], job: Row, now: datetime) -> bool:
    """As `claims` would have it of a run without a key that nobody waits beside."""
    if run.cause not in _BY_HAND or run.variant is not None or run.revision is not None:
        return False
    if row["concurrency_key"] is not None or run.available_at > now:
        return False
    return not job["any_waits"] and not (row["chained"] and job["has_active"])
