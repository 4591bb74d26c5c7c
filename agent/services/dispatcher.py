"""Claims runs that are due and hands each to an idle worker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from agent.core.hearing import asks_to_cancel
from agent.core.ports import Executor, Store
from agent.core.records import Ahead, ClaimedRun, Fence, Lease, Outcome
from agent.core.running.ordering import Ordering
from agent.core.running.promising import FEW, Promising
from agent.core.running.retrying import decide_outcome
from agent.core.scheduling.firing import window_end_of
from agent.core.wire import Ended, RunMessage
from agent.services.foreseen import Foreseen
from agent.services.laying import Laying
from agent.services.poller import Poller
from agent.settings import Settings
from shared.clock import Clock
from shared.errors import JobdeckError, Unavailable
from shared.models import Event, RunError
from shared.states import RunState

_log = structlog.get_logger()
_LONGEST_REST = 15.0
_HAND_OVER_PATIENCE = 5.0
"""Seconds that a stop waits for it; a disk that is full may hold it up."""
_WAKING = ("run.created", "job.deleted")
_OF_RUNS = ("run.created", "run.changed")
_WAITING = (RunState.PENDING, RunState.RETRYING)
Watch = Callable[[ClaimedRun, frozenset[str]], None]
"""(run, its credentials): from now on the events of this attempt are expected."""


@dataclass(slots=True)
class _Claim:
    places: int
    at: datetime
    runs: asyncio.Future[list[ClaimedRun]]
    foreseen: Foreseen
    is_told: bool = False
    """All that its commit held has been heard of: what is heard from now on came after it."""

    def __post_init__(self) -> None:
        # Called in the turn of the loop that follows the one in which the commit is told.
        self.runs.add_done_callback(lambda _runs: setattr(self, "is_told", True))

    @property
    def is_being_told(self) -> bool:
        return self.runs.done() and not self.is_told


class Dispatcher(Poller):
    def __init__(
        self,
        store: Store,
        clock: Clock,
        executor: Executor,
        ordering: Ordering,
        promising: Promising,
        watch: Watch,
        forget: Callable[[Fence], None],
        settings: Settings,
        agent_id: str,
        rng: random.Random,
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._executor = executor
        self._ordering = ordering
        self._promising = promising
        self._watch = watch
        self._forget = forget
        self._settings = settings
        self._agent_id = agent_id
        self._rng = rng
        self._asked: set[str] = set()
        """Runs that somebody wants to end since the last claim."""
        self._ends: list[Outcome] = []
        """Of attempts that were not handed over; not stored yet."""
        self._returned: list[Fence] = []
        """Promised runs that will not begin where they were promised; not stored yet."""
        self._laying = Laying(executor, clock, ordering, watch, forget)
        self._lays = False
        """Runs are promised for a moment that has not come; until then nothing else is claimed."""
        self._claim: _Claim | None = None
        """From when it is queued until its runs are handed over: one at a time, or a worker might get two."""
        self._stirring = False
        """This itself asked for the commit that a claim shall share."""
        self._handed_over = asyncio.Event()
        self._depth = FEW
        """How many runs may be promised to one worker: more and more while there are more than were asked for."""
        self._stopping = False
        self._upcoming: datetime | None = None
        self._looked = False
        """Whether what was due later before this agent began is in `_upcoming`."""

    def brace(self, count: int) -> None:
        """So many runs are about to be stored together: as many may be promised at once as workers may have waiting."""
        if count > FEW:
            self._depth = max(self._depth, min(count, self._promising.most))

    def ride(self) -> None:
        """Runs are about to be stored, or places to be freed: a claim that is queued now shares their commit."""
        if self._claim is None and not self._lays and (self._stirring or self._task is not None):
            self._claim = self._queue_claim()
            if self._claim is not None and not self._stirring:
                # not before: whoever is woken now takes the processor from the thread that writes
                self._claim.runs.add_done_callback(lambda _runs: self.wake())

    def hear(self, events: Sequence[Event]) -> None:
        self._asked.update(event.subject_id for event in events if asks_to_cancel(event))
        with_them = self._claim if self._claim is not None and self._claim.is_being_told else None
        looked_at = self._clock.now() if with_them is None else with_them.at
        for event in events:
            if event.kind in _OF_RUNS and event.data["state"] in _WAITING:
                self._expect(datetime.fromisoformat(event.data["availableAt"]), looked_at)
        if with_them is None and any(_may_free_a_run(event) for event in events):
            self.wake()

    def lease(self) -> Lease | None:
        """Where runs may be promised whose moment comes shortly; None: nowhere. Until `decide` nothing else is claimed."""
        places = self._executor.places_ahead(self._promising.most_together) if self._promising.has_any else []
        if not places or self._claim is not None or self._stopping:
            return None
        self._lays = True
        return Lease(self._agent_id, self._settings.lease, Ahead(places, self._promising.may_wait))

    async def lay(self, promised: Sequence[ClaimedRun], until: datetime) -> None:
        await self._laying.lay(promised, until)

    def decide(self, begin: bool) -> None:  # noqa: FBT001
        """What was promised so is stored, and begins; or it never was."""
        self._lays = False
        self._returned += self._laying.decide(begin=begin)
        self.wake()

    def take_back(self, worker_id: str, run: RunMessage) -> None:
        """A promised run was given back by its worker: whichever is free first gets it."""
        fence = Fence(run.run_id, run.attempt, worker_id)
        self._forget(fence)
        self._returned.append(fence)
        self.wake()

    async def poll(self) -> float:
        await self.store_ends()
        claim = self._claim or await self._stir()
        if claim is None:
            return _LONGEST_REST
        try:
            claimed = await claim.runs
            for run in claimed:
                if not claim.foreseen.has_begun(run):
                    await self._hand_over(run)
        finally:
            claim.foreseen.decide(kept=False)  # nothing is left undecided, whatever ended this
            self._claim = None
            self._handed_over.set()
        is_full = len(claimed) == claim.places
        self._depth = min(self._depth * 2, self._promising.most) if is_full else FEW
        given_back = bool(self._returned)
        await self.store_ends()
        # If a place was left, nothing more was due, but for what was just given back, of which no event tells.
        return 0.0 if given_back or is_full else await self._until_next(claim.at)

    async def store_ends(self) -> None:
        """Of what was not handed over, and what was given back. Kept until they are stored: the runs would be nobody's."""
        while self._ends:
            taken = list(self._ends)
            await self._store.finish(taken, self._clock.now())
            del self._ends[: len(taken)]
        while self._returned:
            back = list(self._returned)
            await self._store.give_back(back, self._clock.now())
            del self._returned[: len(back)]

    async def stop(self) -> None:
        """What is claimed is handed over first: nobody else knows that nothing of it has begun."""
        self._stopping = True
        if self._task is not None and self._claim is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._handed_over.wait(), _HAND_OVER_PATIENCE)
        await super().stop()

    async def _stir(self) -> _Claim | None:
        """Have a claim queued behind all that waits to be written, so that it finds what comes in now."""
        if not (self._executor.idle_workers() or self._places_ahead()):
            return None
        self._stirring = True
        try:
            await self._store.stir()
        finally:
            self._stirring = False
        return self._claim  # of `ride`

    def _places_ahead(self) -> list[str]:
        return self._executor.places_ahead(self._depth) if self._promising.has_any else []

    def _queue_claim(self) -> _Claim | None:
        idle, ahead = self._executor.idle_workers(), self._places_ahead()
        if not (idle or ahead) or self._stopping:
            return None
        self._asked.clear()
        self._handed_over.clear()
        now = self._clock.now()
        promises = Ahead(ahead, self._promising.may_wait) if ahead else None
        foreseen = Foreseen(self._executor, self._ordering, self._watch, self._asked)
        claimed = self._store.claim(idle, self._agent_id, now + self._settings.lease, now, promises, foreseen)
        return _Claim(len(idle) + len(ahead), now, asyncio.ensure_future(claimed), foreseen)

    def _expect(self, moment: datetime, looked_at: datetime) -> None:
        """What was due at `looked_at` is claimed, or about to be. A moment after it may have passed meanwhile."""
        if moment > looked_at:
            self._upcoming = min(moment, self._upcoming or moment)

    async def _until_next(self, now: datetime) -> float:
        """Seconds until a run is due that is not yet. The store is asked at first, and when a moment that was known has
        passed; all that are stored meanwhile are heard of."""
        if not self._looked or (self._upcoming is not None and self._upcoming <= now):
            self._upcoming = None
            found = await self._store.next_available(now)
            self._looked = True
            if found is not None:
                self._upcoming = min(found, self._upcoming or found)
        if self._upcoming is None:
            return _LONGEST_REST
        return min(max((self._upcoming - self._clock.now()).total_seconds(), 0.001), _LONGEST_REST)

    async def _hand_over(self, claimed: ClaimedRun) -> None:
        """To its worker; or, where that cannot be, to its end. No await between the look at what was asked for
        meanwhile, the hand-over and the watch: no cancel and no word of the worker falls between."""
        assert claimed.run.worker_id is not None
        try:
            order, mask = await self._ordering.order(claimed)
        except Exception as error:
            self._ends.append(self._refused(claimed, error))
            return
        if claimed.run.id in self._asked:
            self._leave(claimed, Outcome(claimed.fence, "cancelled", self._clock.now()))
            return
        hand_over = self._executor.promise if claimed.promised else self._executor.execute
        try:
            hand_over(claimed.run.worker_id, order)
        except RuntimeError as error:
            self._leave(claimed, self._not_taken(claimed, error))
            return
        except Exception as error:  # a fault of our own is this run's, not that of those claimed with it
            self._ends.append(self._refused(claimed, error))
            return
        self._watch(claimed, mask)

    def _leave(self, claimed: ClaimedRun, outcome: Outcome) -> None:
        """It was not handed over: what was promised waits again, unless it is to be cancelled, as if nobody had claimed it."""
        if claimed.promised:
            self._returned.append(claimed.fence)
        else:
            self._ends.append(outcome)

    def _refused(self, claimed: ClaimedRun, error: Exception) -> Outcome:
        """What the job names is not there (any more), or cannot be reached now: tried again only if that may pass."""
        now, run = self._clock.now(), claimed.run
        message = (
            error.message if isinstance(error, JobdeckError) else f"{type(error).__name__}; the agent's log has more"
        )
        code = error.code if isinstance(error, JobdeckError) else type(error).__name__
        if not isinstance(error, JobdeckError):
            _log.error("run_not_startable", run_id=run.id, exc_info=error)
        cause = RunError(
            kind="not_startable",
            message=f"the run could not be started: {message}",
            transient=isinstance(error, Unavailable),
            fingerprint=f"not_startable:{code}",
        )
        ended = Ended(run_id=run.id, attempt=run.attempt, outcome="failed", at=now, error=cause)
        window_end = window_end_of(claimed)
        return decide_outcome(
            claimed, claimed.fence, ended, repeat_safe=True, window_end=window_end, now=now, rng=self._rng
        )

    def _not_taken(self, claimed: ClaimedRun, error: RuntimeError) -> Outcome:
        """The worker went away since it was asked: nothing of the run has begun, so the next worker may have it."""
        now = self._clock.now()
        _log.warning("worker_went_away", run_id=claimed.run.id, error=str(error))
        cause = RunError(
            kind="not_handed_over",
            message="its worker ended before it took the run; nothing of the run had begun",
            transient=True,
            fingerprint="not_handed_over",
        )
        return Outcome(claimed.fence, "retrying", now, error=cause, retry_at=now)


def _may_free_a_run(event: Event) -> bool:
    """A run waits, or one has ended that others waited for; that one begins frees none."""
    return event.kind in _WAKING or (event.kind == "run.changed" and event.data["state"] != RunState.RUNNING)
