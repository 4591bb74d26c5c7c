"""Starts missed fires whose turn it is: one run of a job at a time, all jobs together under the rate."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.ports import Store
from agent.core.records import NewRun, NextTurn
from agent.core.scheduling.pace import Pace
from agent.services.poller import Poller
from shared.clock import Clock
from shared.ids import NewId
from shared.models import Event

_LONGEST_REST = 30.0


class CatchUp(Poller):
    """A run is made only when it may start, so what is on time comes behind a few caught-up runs, never behind all:
    at most `most_waiting` of them wait for a worker."""

    def __init__(self, store: Store, clock: Clock, new_id: NewId, pace: Pace, most_waiting: int) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._pace = pace
        self._most_waiting = most_waiting

    def hear(self, events: Sequence[Event]) -> None:
        if any(_gives_a_turn(event) for event in events):
            self.wake()

    async def poll(self) -> float:
        turns = await self._store.next_turns(self._most_waiting)
        places = self._pace.take(len(turns))
        if places:
            now = self._clock.now()
            await self._store.take_turns([(turn, self._run_of(turn)) for turn in turns[:places]], now)
        return min(self._pace.wait(), _LONGEST_REST) if turns else _LONGEST_REST

    def _run_of(self, turn: NextTurn) -> NewRun:
        now = self._clock.now()
        return NewRun(self._new_id(), turn.job_id, "catch_up", turn.fire_at, available_at=now, chained=True)


def _gives_a_turn(event: Event) -> bool:
    match event.kind:
        case "fire.recorded":
            return event.data.get("outcome") == "held"
        case "run.changed":
            return event.data.get("cause") == "catch_up"
        case kind:
            return kind in ("catch_up.changed", "job.changed")
