"""Moves of runs from state to state: each guarded by the table of moves in the UPDATE's own WHERE."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from agent.store.engine.prepared import Lookup, Prepared
from agent.store.rows import RUN, chunks, run_of
from agent.store.tables import runs
from shared.errors import IllegalMove
from shared.models import Run
from shared.states import RunState, sources

_BY_NUMBER = Lookup(RUN, runs.c.number)


def move(connection: sa.Connection, numbers: Sequence[int], target: RunState, values: dict[str, Any]) -> None:
    """Move all of these runs to `target`, with the same values. IllegalMove, and nothing is kept, if one cannot."""
    for part in chunks(numbers):
        update = sa.update(runs).where(runs.c.number.in_(part), _may_become(target))
        moved = connection.execute(update.values(state=target, version=runs.c.version + 1, **values)).rowcount
        _check(moved, len(part), target)


def move_each(
    connection: sa.Connection, target: RunState, rows: Sequence[dict[str, Any]], through: RunState | None = None
) -> None:
    """Move each run to `target` with values of its own; a row has `run_number` and one value per changed column.
    `through`: the state between, where two moves are written as one."""
    if not rows:
        return
    moved = _each_move(target, tuple(rows[0]), through).each(connection, rows)
    _check(moved, len(rows), target)


def read(connection: sa.Connection, numbers: Iterable[int]) -> list[Run]:
    """The runs with these numbers as they are now, in the order of their numbers."""
    return [run_of(row) for row in sorted(_BY_NUMBER.rows(connection, numbers), key=lambda row: int(row["number"]))]


@cache
def _each_move(target: RunState, names: tuple[str, ...], through: RunState | None) -> Prepared:
    """There are as many as there are kinds of move."""
    if through is not None and through not in sources(target):
        raise IllegalMove(f"what is {through} cannot become {target}")
    update = sa.update(runs).where(runs.c.number == sa.bindparam("run_number"), _may_become(through or target))
    columns = [name for name in names if name != "run_number"]
    return Prepared(update.values(state=target, version=runs.c.version + (1 if through is None else 2)), columns)


def _may_become(target: RunState) -> sa.ColumnElement[bool]:
    # Not IN: its list is made for each execution, which a batch of executions does not allow.
    return sa.or_(*(runs.c.state == source for source in sorted(sources(target))))


def _check(moved: int, wanted: int, target: RunState) -> None:
    # The rows were read, and on PostgreSQL locked, in this transaction: fewer means that a rule of ours is broken.
    if moved != wanted:
        raise IllegalMove(f"{wanted - moved} of {wanted} runs cannot become {target}")
