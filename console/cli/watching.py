"""Watching one run to its end: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Coroutine
from contextlib import aclosing

from console.cli.calling import call
from console.cli.logs import follow_log
from console.cli.output import fit, note, paint, say, say_json_line
from console.cli.wording import done, state_of, took
from console.client import AgentClient, Offline, Online, Reset
from console.model import World, reduce
from console.model.estimates import remaining
from console.render.safe import to_one_line
from console.render.spans import short_span
from shared.clock import Clock, SystemClock
from shared.exits import Exit
from shared.models import Run
from shared.states import FINAL, RunState

_LAST_LINES = 3.0
"""Seconds that the rest of a log may take to arrive after its run has ended."""

_OUTCOMES = {RunState.COMPLETED: Exit.OK, RunState.FAILED: Exit.FAILED, RunState.CANCELLED: Exit.CANCELLED}


def watch_started(run: Run, *, timeout: float | None, logs: bool, as_json: bool) -> int:
    """Watch it and say how it ended, as text and as exit code."""
    clock = SystemClock()
    report = Report(clock, as_json=as_json, quiet=logs and not as_json)

    async def work(client: AgentClient) -> Run:
        async with asyncio.timeout(timeout):
            watching = _watch(client, run.id, report)
            return await (watching if not report.quiet else _with_log(client, run.id, watching))

    try:
        ended = call(work)
    except TimeoutError:
        report.end_line()
        note(f"jobdeck: the run still goes on; `jobdeck run watch {run.id}` watches it further")
        return Exit.UNFINISHED
    except KeyboardInterrupt:
        report.end_line()
        note(f"jobdeck: the run goes on; `jobdeck run cancel {run.id}` cancels it")
        raise
    if report.quiet:
        report.quiet = False
        report.show(ended)
    report.end_line()
    return _OUTCOMES[ended.state]


class Report:
    """Shows each state that a run is in: once, where nothing is new. A quiet one says nothing."""

    def __init__(self, clock: Clock, *, as_json: bool, quiet: bool) -> None:
        self.quiet = quiet
        self._clock = clock
        self._as_json = as_json
        self._live = sys.stdout.isatty() and not as_json
        self._said = ""
        self._open = False

    def show(self, run: Run) -> None:
        if self.quiet:
            return
        if self._as_json:
            say_json_line(run)
        elif self._live:
            self._rewrite(self._sentence(run))
        elif self._plain(run) != self._said:
            self._said = self._plain(run)
            say(f"{self._clock.now():%H:%M:%S}Z  {to_one_line(self._sentence(run))}")
            sys.stdout.flush()

    def trouble(self, reason: str) -> None:
        self.end_line()
        if not self.quiet:
            note(f"jobdeck: {reason}; waiting for it")

    def end_line(self) -> None:
        if self._open:
            say()
            self._open = False

    def _rewrite(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        state, _, rest = text.partition(" ")
        sys.stdout.write(f"\r{paint(state, state)} {fit(rest, max(0, width - len(state) - 1))}")
        sys.stdout.flush()
        self._open = True

    def _sentence(self, run: Run) -> str:
        now = self._clock.now()
        left = remaining(run, now)
        parts = [
            state_of(run),
            run.job_name,
            done(run),
            took(run, now),
            f"about {short_span(left)} left" if left else "",
            f"attempt {run.attempt} of {run.max_attempts}" if run.attempt > 1 else "",
            run.waiting_for or "" if run.state is RunState.PENDING else "",
            run.error.message if run.error else "",
        ]
        return "  ".join(part for part in parts if part)

    def _plain(self, run: Run) -> str:
        """What makes a line worth printing: another state, another tenth of the work."""
        total = run.progress.total
        return f"{state_of(run)} {run.attempt} {run.progress.done * 10 // total if total else ''}"


async def _watch(client: AgentClient, run_id: str, report: Report) -> Run:
    """First the position, then the run, then what happens after it: nothing falls between."""
    world = World()
    world.position = (await client.world.agent()).last_event_id
    away = False
    await _look(client, world, run_id)
    report.show(world.runs[run_id])
    async with aclosing(client.events(world.position).signals()) as signals:
        while world.runs[run_id].state not in FINAL:
            signal = await anext(signals)
            before = world.runs[run_id]
            if isinstance(signal, Offline):
                report.trouble(signal.reason)
                away = True
            elif isinstance(signal, Reset) or (isinstance(signal, Online) and away):
                await _look(client, world, run_id)
                away = False
            elif not isinstance(signal, Online) and _concerns(signal.subject_id, signal.data, run_id):
                reduce(world, signal)
            if world.runs[run_id] is not before:
                report.show(world.runs[run_id])
    return world.runs[run_id]


async def _look(client: AgentClient, world: World, run_id: str) -> None:
    world.take_runs([await client.runs.get(run_id)], as_of=world.position)


def _concerns(subject_id: str, data: dict[str, object], run_id: str) -> bool:
    return run_id in (subject_id, data.get("runId"))


async def _with_log(client: AgentClient, run_id: str, watching: Coroutine[None, None, Run]) -> Run:
    """The log as it comes, until the run is over; what is left of it then has a moment to arrive."""
    lines = asyncio.create_task(follow_log(client, run_id, 1, times=False, as_json=False))
    try:
        ended = await watching
        await asyncio.wait({lines}, timeout=_LAST_LINES)
        if lines.done():
            lines.result()
        return ended
    finally:
        lines.cancel()
        await asyncio.wait({lines})
