"""What an operator does to runs and jobs: asked in proportion, with ids and versions, refusals by name, undone where it can be.

Cancels of runs that wait can be undone for a while. It is the agent that lets them wait: they take effect without
this console, and any console takes them back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.model.estimates import elapsed
from console.render.amounts import count
from console.render.spans import short_span
from console.session import ConsoleSession, Question, Tone
from shared.errors import JobdeckError
from shared.states import ACTIVE, FINAL, RunState

if TYPE_CHECKING:
    from console.client.answers import BulkAct, BulkItem
    from shared.models import Job, Run

_NAMED = 3
"""Refusals that are told by name; of more, the number."""


_WAITING = ACTIVE - {RunState.RUNNING}


@dataclass(slots=True)
class Acting:
    session: ConsoleSession
    _cancelled: list[frozenset[str]] = field(default_factory=list)
    """Ids of runs whose cancel waits, an act of this console each, the last one last."""
    _being_cancelled: set[str] = field(default_factory=set)
    """Asked for, not answered: a key that repeats asks once."""
    _paused: list[str] = field(default_factory=list)

    # Acts, as keys call them.

    async def rerun(self, runs: Sequence[Run]) -> None:
        """Run again those that have ended."""
        ended = [run for run in runs if run.state in FINAL]
        if ended and await self._agreed(self._rerun_question(ended)):
            await self._send("rerun", ended, "started again")

    async def cancel(self, runs: Sequence[Run]) -> None:
        """What runs is signalled at once; what waits is cancelled by the agent when it can no longer be undone."""
        asked = self._being_cancelled | self.session.world.leaving.keys()
        active = [run for run in runs if run.state not in FINAL and run.id not in asked]
        if not active or not await self._agreed(self._cancel_question(active)):
            return
        left = [run for run in active if self._state(run) not in FINAL]  # while it was asked, some may have ended
        if not left:
            self._tell(f"nothing to cancel: {active[0].job_name} has {_ended(self._state(active[0]))}", "warning")
            return
        active = left
        ids = {run.id for run in active}
        self._being_cancelled |= ids
        try:
            answered = await self._send("cancel", active, "asked to stop", undoable=True)
        finally:
            self._being_cancelled -= ids
        leaving = [run for run in answered if run.cancel_due_at is not None]
        self.session.live.learn(leaving)
        if leaving:
            self._cancelled.append(frozenset(run.id for run in leaving))

    async def run_now(self, jobs: Sequence[tuple[str, str]]) -> None:
        """Run jobs (id and name) now."""
        if len(jobs) > 1 and not await self._agreed(
            self._many(f"run {count(len(jobs), 'job')} now?", "run them", len(jobs))
        ):
            return
        await self._each(jobs, lambda key: self.session.client.jobs.run(key), "started")

    async def pause(self, jobs: Sequence[Job]) -> None:
        """Pause what fires; resume them all when none does."""
        firing = [job for job in jobs if job.paused_at is None]
        chosen, client = firing or list(jobs), self.session.client.jobs
        word = "pause" if firing else "resume"
        if len(chosen) > 1 and not await self._agreed(
            self._many(f"{word} {count(len(chosen), 'job')}?", f"{word} them", len(chosen))
        ):
            return
        named = [(job.id, job.name) for job in chosen]
        done = await self._each(named, client.pause if firing else client.resume, f"{word}d" if firing else "resumed")
        self._paused = done if firing else []

    async def undo(self) -> None:
        """Take back the last cancel that waits, one of this console's if there is any, or else the last pause."""
        if back := self._to_take_back():
            self.session.live.learn(await self._send("uncancel", back, "taken back", noun="cancel"))
        elif self._paused:
            paused, self._paused = self._paused, []
            named = [(job_id, self._job_name(job_id)) for job_id in paused]
            await self._each(named, self.session.client.jobs.resume, "resumed")
        else:
            self.session.shell.say("nothing to undo", "warning")

    def _to_take_back(self) -> list[Run]:
        """What this console cancelled last and still waits; else all that waits, as a console that came later sees it."""
        leaving = self.session.world.leaving
        while self._cancelled and leaving.keys().isdisjoint(self._cancelled[-1]):
            self._cancelled.pop()
        ids = self._cancelled[-1] if self._cancelled else leaving.keys()
        return [leaving[run_id] for run_id in ids if run_id in leaving]

    # Questions.

    def _rerun_question(self, runs: Sequence[Run]) -> Question | None:
        if len(runs) == 1:
            return None
        jobs = len({run.job_id for run in runs})
        return self._many(f"rerun {_by_state(runs)} of {count(jobs, 'job')}?", "rerun them", len(runs))

    def _cancel_question(self, runs: Sequence[Run]) -> Question | None:
        if len(runs) == 1 and runs[0].state in _WAITING:
            return None
        now = self.session.now()
        lost = sum(span.total_seconds() for run in runs if (span := elapsed(run, now)))
        work = f" {short_span(lost)} of work would be lost." if lost >= 1 else ""
        name = f" of {runs[0].job_name}" if len(runs) == 1 else ""
        yes = "cancel it" if len(runs) == 1 else "cancel them"
        return self._many(f"cancel {_by_state(runs)}{name}?{work}", yes, len(runs))

    def _many(self, text: str, yes: str, number: int) -> Question:
        return Question(text, yes, count=number if self.session.is_production else None)

    async def _agreed(self, question: Question | None) -> bool:
        return question is None or await self.session.shell.ask(question)

    # Sending.

    async def _send(
        self, act: BulkAct, runs: Sequence[Run], done: str, *, noun: str = "run", undoable: bool = False
    ) -> list[Run]:
        """The runs as the agent answered. Refusals are told; of what waits the countdown tells enough."""
        meant = {run.id: run for run in runs}
        try:
            answers = await self.session.client.runs.bulk(
                act, [(run.id, run.version) for run in runs], undoable=undoable
            )
        except JobdeckError as error:
            self._tell(f"not {done}: {error.message}", "error")
            return []
        refused = [
            f"{meant[item.id].job_name}: {self._reason(item, meant[item.id])}" for item in answers if not item.ok
        ]
        answered = [item.run for item in answers if item.ok and item.run is not None]
        at_once = sum(run.cancel_due_at is None for run in answered)
        if refused or at_once:
            self._tell_outcome(count(at_once, noun), done, refused)
        return answered

    async def _each(
        self, items: Iterable[tuple[str, str]], act: Callable[[str], Awaitable[object]], done: str
    ) -> list[str]:
        """Jobs have no bulk route: one request each, four at a time. Ids of those that went well."""
        gate, refused, well = asyncio.Semaphore(4), [], []

        async def one(key: str, name: str) -> None:
            async with gate:
                try:
                    await act(key)
                except JobdeckError as error:
                    refused.append(f"{name}: {error.message}")
                else:
                    well.append((key, name))

        await asyncio.gather(*(one(key, name) for key, name in items))
        self._tell_outcome(well[0][1] if len(well) == 1 else count(len(well), "job"), done, refused)
        return [key for key, _ in well]

    def _tell_outcome(self, what: str, done: str, refused: Sequence[str]) -> None:
        if not refused:
            self._tell(f"{what} {done}", "good")
            return
        more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        well = "" if what.startswith("0 ") else f"{what} {done}; "
        self._tell(f"{well}refused: {'; '.join(refused[:_NAMED])}{more}", "error")

    def _tell(self, text: str, tone: Tone) -> None:
        self.session.shell.say(text, tone)

    def _reason(self, item: BulkItem, meant: Run) -> str:
        if item.error is None:
            return "refused"
        if item.error.code != "stale_version":
            return item.error.message
        state = self._state(meant)
        if state in FINAL and meant.state not in FINAL:
            return f"has {_ended(state)} meanwhile"
        return "changed meanwhile; look again"

    def _state(self, run: Run) -> RunState:
        """As it is by now."""
        return self.session.world.runs.get(run.id, run).state

    def _job_name(self, job_id: str) -> str:
        job = self.session.world.named_jobs.get(job_id)
        return job.name if job else job_id


def _by_state(runs: Sequence[Run]) -> str:
    """`2 running and 3 pending runs`."""
    states = Counter(str(run.state) for run in runs)
    most_first = sorted(states.items(), key=lambda each: (-each[1], each[0]))
    parts = [f"{number:,} {state}" for state, number in most_first]
    return f"{' and '.join([', '.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)} {'run' if len(runs) == 1 else 'runs'}"


def _ended(state: RunState) -> str:
    """Behind `has`."""
    return "been cancelled" if state == RunState.CANCELLED else str(state)
