"""What an operator does to runs and jobs: asked in proportion, with ids and versions, refusals by name, undone where it can be.

Cancels of pending runs wait `UNDO_DELAY` here, in the console, until the agent has a place for them: leaving the
console sends them at once; a console that is killed in these seconds sends none.
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
from shared.states import FINAL, RunState

if TYPE_CHECKING:
    from console.client.answers import BulkAct, BulkItem
    from shared.models import Job, Run

UNDO_DELAY = 10.0
"""Seconds."""

_NAMED = 3
"""Refusals that are told by name; of more, the number."""


@dataclass(slots=True)
class Delayed:
    """Cancels that are sent when `due` (monotonic seconds) comes."""

    runs: dict[str, tuple[str, int]]
    """Id -> name and version."""
    due: float


@dataclass(slots=True)
class Acting:
    session: ConsoleSession
    delayed: list[Delayed] = field(default_factory=list)
    _paused: list[str] = field(default_factory=list)

    # Acts, as keys call them.

    async def rerun(self, runs: Sequence[Run]) -> None:
        """Run again those that have ended."""
        ended = [run for run in runs if run.state in FINAL]
        if ended and await self._agreed(self._rerun_question(ended)):
            await self._send("rerun", {run.id: (run.job_name, run.version) for run in ended}, "started again")

    async def cancel(self, runs: Sequence[Run]) -> None:
        """Signal what runs at once; what waits is cancelled after UNDO_DELAY."""
        active = [run for run in runs if run.state not in FINAL and not self.is_waiting(run.id)]
        if not active or not await self._agreed(self._cancel_question(active)):
            return
        pending = {run.id: (run.job_name, run.version) for run in active if run.state is RunState.PENDING}
        others = {run.id: (run.job_name, run.version) for run in active if run.state is not RunState.PENDING}
        if pending:
            self.delayed.append(Delayed(pending, self.session.clock.monotonic() + UNDO_DELAY))
            self.session.shell.show_waiting()
        if others:
            await self._send("cancel", others, "asked to stop")

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
        """Take back what waits, or else the last pause."""
        if self.delayed:
            back = self.delayed.pop()
            self.session.shell.show_waiting()
            self.session.shell.say(f"{count(len(back.runs), 'cancel')} taken back", "good")
        elif self._paused:
            paused, self._paused = self._paused, []
            named = [(job_id, self._job_name(job_id)) for job_id in paused]
            await self._each(named, self.session.client.jobs.resume, "resumed")
        else:
            self.session.shell.say("nothing to undo", "warning")

    # What waits.

    def seconds_left(self) -> float | None:
        """Until the first of what waits is sent."""
        if not self.delayed:
            return None
        return max(0.0, min(each.due for each in self.delayed) - self.session.clock.monotonic())

    def is_waiting(self, run_id: str) -> bool:
        """True for a run whose cancel can still be taken back."""
        return any(run_id in each.runs for each in self.delayed)

    def waiting(self) -> int:
        return sum(len(each.runs) for each in self.delayed)

    async def send_due(self, *, everything: bool = False) -> None:
        """Send what is due; on leaving, everything."""
        now = self.session.clock.monotonic()
        due = [each for each in self.delayed if everything or each.due <= now]
        if not due:
            return
        self.delayed = [each for each in self.delayed if each not in due]
        self.session.shell.show_waiting()
        await self._send("cancel", {run_id: known for each in due for run_id, known in each.runs.items()}, "cancelled")

    # Questions.

    def _rerun_question(self, runs: Sequence[Run]) -> Question | None:
        if len(runs) == 1:
            return None
        jobs = len({run.job_id for run in runs})
        return self._many(f"rerun {_by_state(runs)} of {count(jobs, 'job')}?", "rerun them", len(runs))

    def _cancel_question(self, runs: Sequence[Run]) -> Question | None:
        if len(runs) == 1 and runs[0].state is RunState.PENDING:
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

    async def _send(self, act: BulkAct, runs: dict[str, tuple[str, int]], done: str) -> None:
        try:
            answers = await self.session.client.runs.bulk(
                act, [(run_id, version) for run_id, (_, version) in runs.items()]
            )
        except JobdeckError as error:
            self._tell(f"not {done}: {error.message}", "error")
            return
        refused = [f"{runs[item.id][0]}: {_reason(item)}" for item in answers if not item.ok]
        self._tell_outcome(count(len(answers) - len(refused), "run"), done, refused)

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

    def _job_name(self, job_id: str) -> str:
        job = self.session.world.jobs.get(job_id)
        return job.name if job else job_id


def _by_state(runs: Sequence[Run]) -> str:
    """`2 running and 3 pending runs`."""
    states = Counter(str(run.state) for run in runs)
    parts = [f"{number:,} {state}" for state, number in states.most_common()]
    return f"{' and '.join([', '.join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)} {'run' if len(runs) == 1 else 'runs'}"


def _reason(item: BulkItem) -> str:
    if item.error is None:
        return "refused"
    return "changed meanwhile; look again" if item.error.code == "stale_version" else item.error.message
