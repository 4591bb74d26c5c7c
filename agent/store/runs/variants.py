"""Runs that do otherwise than their revision says. Such a run has another type than its definition: that is how it is
told from all others without a look here."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from agent.core.records import NewRun, RunVariant
from agent.store.tables import run_variants, runs


def write(connection: sa.Connection, new: Iterable[tuple[int, NewRun]]) -> None:
    rows = [
        {"run_number": number, "kind": run.variant.kind, "changes": run.variant.changes}
        for number, run in new
        if run.variant is not None
    ]
    if rows:
        connection.execute(sa.insert(run_variants), rows)


def get(connection: sa.Connection, run_id: str) -> RunVariant | None:
    query = sa.select(runs.c.type, run_variants.c.kind, run_variants.c.changes).join(runs).where(runs.c.id == run_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else RunVariant(row.type, row.kind, row.changes)
