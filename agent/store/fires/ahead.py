"""Fires settled before their moment, as of it, and their runs promised: for a transaction that is committed at the moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.records import ClaimedRun, Lease, SettledJob
from agent.store.fires import settlement
from agent.store.runs import claims


def settling(
    settled: Sequence[SettledJob], moment: datetime, lease: Lease | None
) -> Callable[[sa.Connection], list[ClaimedRun]]:
    """What settles them, and promises the runs that may start then to the workers of the lease, as far as they have
    places; it returns what was promised."""

    def settle(connection: sa.Connection) -> list[ClaimedRun]:
        settlement.settle(connection, settled, moment)
        if lease is None:
            return []
        return claims.claim(connection, [], lease.agent_id, moment + lease.span, moment, lease.places)

    return settle
