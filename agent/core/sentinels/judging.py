"""One look at one job: its news are learnt, and its sentinels open and close."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from agent.core.sentinels import words
from agent.core.sentinels.flapping import FAILURE, SUCCESS, judge_outcomes
from agent.core.sentinels.history import LEAST_SILENCE, History
from agent.core.sentinels.passing import Passing
from agent.core.sentinels.patience import Patience
from agent.core.sentinels.records import Closed, EndedRun, Judged, LongRun, Opened, Watch, WatchedJob
from agent.core.sentinels.rhythm import (
    Expectation,
    NextFire,
    expect_arrival,
    expect_fire,
    fires_of,
    rhythm_print,
    work_print,
)
from agent.core.sentinels.usual import Usual
from shared.ids import NewId
from shared.models import SentinelKind
from shared.states import RunState

CALM_RUNS = 2
"""So many usual runs in a row end a spell of slow or fast ones."""
_EASED = 0.8
"""Usual again is what keeps that far within the bounds: what strays along them neither opens nor closes."""
_HELD_AGAIN = timedelta(hours=1)
_BY_WORK: tuple[SentinelKind, ...] = ("too_slow", "too_fast", "flapping")
_BY_SPAN: tuple[SentinelKind, ...] = ("too_slow", "too_fast")


class Look:
    """At one job: `judge` once."""

    def __init__(self, job: WatchedJob, defaults: Patience, passing: Passing, now: datetime, new_id: NewId) -> None:
        self._job = job
        self._patience = defaults.of(job.definition)
        self._passing = passing
        self._now = now
        self._new_id = new_id
        self._watch = job.watch or _first_watch(job)
        self._history = History.load(self._watch.history)
        self._open = dict(job.open)
        self._opened: list[Opened] = []
        self._closed: list[Closed] = []

    def judge(self, ended: Sequence[EndedRun] = (), long: LongRun | None = None) -> Judged:
        """`ended`: the runs that ended since the last look, in the order of their ends; `long`: one that is under way."""
        self._take_definition()
        for run in ended:
            if run.event > self._history.heard:
                self._hear(run)
        self._watch.slow_after = self._slow_after()
        if long is not None:
            self._look_at_long_run(long)
        self._look_at_silence()
        self._watch.history = self._history.dump()
        return Judged(self._job.number, self._watch, self._opened, self._closed, self._job.definition["name"])

    # -- the definition ------------------------------------------------------------------------------------------------

    def _take_definition(self) -> None:
        self._take_revision()
        if not self._job.is_enabled:
            self._close(list(self._open), "The job was disabled or deleted.")
        for kind in set(self._open) - self._watched_kinds:
            self._close([kind], "It is not looked for any more.")
        if not self._promises:
            self._close(["overdue"], "The job was paused.")
            self._set_expected(Expectation())
        elif self._watch.expected_at is None:
            self._set_expected(self._expect(self._now))

    def _take_revision(self) -> None:
        watch, definition, revision = self._watch, self._job.definition, self._job.revision
        if watch.revision == revision:
            return
        watch.revision = revision
        if (work := work_print(definition)) != watch.work:
            watch.work, watch.work_since = work, revision
            self._history.forget_work()
            self._close(_BY_WORK, "The job was changed.")
        if (rhythm := rhythm_print(definition)) != watch.rhythm:
            watch.rhythm = rhythm
            self._history.forget_rhythm()
            self._close(["overdue"], "Its schedule was changed.")
            self._set_expected(Expectation())
        elif "overdue" not in self._open and watch.expected_at is not None and not self._is_unscheduled:
            self._set_expected(self._expect_fire(watch.expected_at))  # with the tolerance that it has now

    @property
    def _watched_kinds(self) -> frozenset[SentinelKind]:
        return self._patience.kinds if self._job.is_enabled else frozenset()

    @property
    def _promises(self) -> bool:
        return self._job.is_enabled and not self._job.is_paused

    # -- runs that ended -----------------------------------------------------------------------------------------------

    def _hear(self, run: EndedRun) -> None:
        """A cancelled one says nothing of its job."""
        self._history.heard = run.event
        if run.state == RunState.CANCELLED:
            return
        self._hear_sign(run.ended_at)
        if run.revision < self._watch.work_since:
            return
        self._hear_outcome(run)
        start = run.started_at
        if run.state == RunState.COMPLETED and start is not None and self._passing.is_certain(start, run.ended_at):
            self._hear_duration(run, start, (run.ended_at - start).total_seconds())

    def _hear_sign(self, at: datetime) -> None:
        watch = self._watch
        since = watch.last_end if self._is_unscheduled else watch.expected_at
        if since is not None and at >= since and self._nothing_kept_it(since, at):
            self._learn_lag((at - since).total_seconds())
        if "overdue" in self._open:
            self._close(["overdue"], words.came(at))
        watch.last_end = at
        self._set_expected(self._expect(at) if self._promises else Expectation())

    def _nothing_kept_it(self, since: datetime, at: datetime) -> bool:
        resumed = self._passing.resumed_at
        return (resumed is None or since >= resumed) and self._passing.is_certain(since, at)

    def _learn_lag(self, seconds: float) -> None:
        lags = self._history.lags
        lags.learn(min(seconds, lags.usual.high) if lags.usual and "overdue" in self._open else seconds)

    def _hear_outcome(self, run: EndedRun) -> None:
        self._history.add_outcome(SUCCESS if run.state == RunState.COMPLETED else FAILURE)
        found = judge_outcomes(self._history.outcomes)
        if found is None:
            return
        if found.flaps:
            figures = {"observed": found.changes, "usual": found.usual, "limit": found.limit, "runs": self._outcomes}
            self._raise("flapping", run.ended_at, words.flapped(found), figures, run.id)
        elif found.is_calm:
            self._close(["flapping"], words.steadied(found))

    @property
    def _outcomes(self) -> int:
        return len(self._history.outcomes)

    def _hear_duration(self, run: EndedRun, start: datetime, seconds: float) -> None:
        usual = self._usual_duration()
        if usual is None:
            self._history.durations.learn(seconds)
        elif usual.low <= seconds <= usual.high:
            self._hear_usual(seconds, usual)
        else:
            self._hear_odd(run, start, seconds, usual)

    def _hear_usual(self, seconds: float, usual: Usual) -> None:
        history = self._history
        history.durations.learn(seconds)
        if not history.odd and not any(kind in self._open for kind in _BY_SPAN):
            return
        eased = usual.stretched(_EASED)
        history.calm = history.calm + 1 if eased.low <= seconds <= eased.high else 0
        if history.calm >= CALM_RUNS:
            for odd in history.odd:
                history.durations.learn(odd)
            history.end_spell()
            self._close(_BY_SPAN, words.calmed_down(CALM_RUNS))

    def _hear_odd(self, run: EndedRun, start: datetime, seconds: float, usual: Usual) -> None:
        history, seen = self._history, len(self._history.durations.values)
        history.add_odd(seconds, run.ended_at)
        if history.is_habit(run.ended_at):
            history.durations.begin_with(history.odd)
            history.end_spell()
            self._close(_BY_SPAN, words.became_usual(history.durations.usual or usual))
        elif seconds > usual.high:
            since, why = start + timedelta(seconds=usual.high), words.took_too_long(seconds, usual, seen)
            self._raise("too_slow", since, why, _figures(seconds, usual, usual.high, seen), run.id)
        else:
            why = words.over_too_soon(seconds, usual, seen)
            self._raise("too_fast", run.ended_at, why, _figures(seconds, usual, usual.low, seen), run.id)

    def _usual_duration(self) -> Usual | None:
        track = self._history.durations
        if track.usual is None or len(track.values) < self._patience.least_runs:
            return None
        return track.usual.stretched(self._patience.tolerance)

    # -- what is under way, and what has not come ----------------------------------------------------------------------

    def _slow_after(self) -> float | None:
        usual = self._usual_duration() if "too_slow" in self._watched_kinds else None
        return usual.high if usual else None

    def _look_at_long_run(self, run: LongRun) -> None:
        usual, seen = self._usual_duration(), len(self._history.durations.values)
        seconds = self._passing.elapsed(run.started_at, self._now).total_seconds()
        if usual is not None and seconds > usual.high:
            since, why = run.started_at + timedelta(seconds=usual.high), words.running_too_long(seconds, usual, seen)
            self._raise("too_slow", since, why, _figures(seconds, usual, usual.high, seen), run.id)

    def _look_at_silence(self) -> None:
        watch, lags = self._watch, self._history.lags
        if watch.overdue_at is None or watch.overdue_at > self._now:
            return
        if watch.expected_at is None or lags.usual is None:
            watch.overdue_at = None
            return
        usual = lags.usual.stretched(self._patience.tolerance)
        later = self._excused_until(usual, watch.expected_at)
        if later is not None and later > self._now:
            watch.overdue_at = later
            return
        watch.overdue_at = None
        self._raise_overdue(watch.expected_at, usual)

    def _excused_until(self, usual: Usual, expected: datetime) -> datetime | None:
        """What runs has come, and may be too slow; what is to start later cannot have; what is held is told by the
        backlog; and nothing could come while no agent was there."""
        waiting, resumed, room = self._job.waiting, self._passing.resumed_at, timedelta(seconds=usual.high)
        if waiting is not None and waiting.state == RunState.RUNNING and self._watch.slow_after is not None:
            return self._now + timedelta(seconds=LEAST_SILENCE)
        if waiting is not None and waiting.available_at > self._now:
            return waiting.available_at + room
        if self._job.is_held:
            return self._now + _HELD_AGAIN
        return resumed + room if resumed is not None and resumed > expected else None

    def _raise_overdue(self, expected: datetime, usual: Usual) -> None:
        waiting, last, seen = self._job.waiting, self._watch.last_end, len(self._history.lags.values)
        if self._is_unscheduled and last is not None:
            since, why = last, words.overdue_arrival(last, usual, seen, waiting)
        else:
            since, why = expected, words.overdue_fire(expected, usual, seen, waiting)
        figures = _figures((self._now - since).total_seconds(), usual, usual.high, seen)
        self._raise("overdue", expected, why, figures, waiting.id if waiting else None)

    @property
    def _is_unscheduled(self) -> bool:
        return bool(self._job.definition["interval_type"] == "none")

    def _expect(self, after: datetime) -> Expectation:
        if self._is_unscheduled:
            return expect_arrival(self._history.lags, after, self._patience.tolerance, self._patience.least_runs)
        return self._expect_fire(self._next_fire(after))

    def _expect_fire(self, at: datetime | None) -> Expectation:
        return expect_fire(at, self._history.lags, self._patience.tolerance, self._patience.least_runs)

    @cached_property
    def _next_fire(self) -> NextFire:
        return fires_of(self._job.definition, self._job.created_at)

    def _set_expected(self, expectation: Expectation) -> None:
        self._watch.expected_at = expectation.expected_at
        self._watch.overdue_at = expectation.overdue_at if "overdue" in self._watched_kinds else None

    # -- sentinels -----------------------------------------------------------------------------------------------------

    def _raise(
        self, kind: SentinelKind, since: datetime, why: str, figures: dict[str, float], run_id: str | None
    ) -> None:
        """One that is open already is told no second time."""
        if kind in self._watched_kinds and kind not in self._open:
            self._open[kind] = self._new_id()
            self._opened.append(Opened(self._open[kind], kind, since, why, figures, run_id))

    def _close(self, kinds: Iterable[SentinelKind], because: str) -> None:
        self._closed += [Closed(self._open.pop(kind), because) for kind in kinds if kind in self._open]


def _first_watch(job: WatchedJob) -> Watch:
    return Watch(job.revision, work_print(job.definition), job.revision, rhythm_print(job.definition))


def _figures(observed: float, usual: Usual, limit: float, runs: int) -> dict[str, float]:
    return {"observed": round(observed, 3), "usual": round(usual.median, 3), "limit": round(limit, 3), "runs": runs}
