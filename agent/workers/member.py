"""One worker of the pool as the agent sees it: its process, its keeper, its order, and the way to its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import structlog
from pydantic import ValidationError

from agent.core.ports import EndSink, EventSink
from agent.core.wire import (
    CancelOrder,
    Cleared,
    Ended,
    Exceeded,
    Hello,
    Logged,
    Order,
    RunMessage,
    StopOrder,
    WireLine,
    events,
)
from agent.workers import limits, processes, strays
from agent.workers.assignment import Asked, Assignment
from agent.workers.link import Link
from agent.workers.pulse import Pulse, is_stopped
from shared.clock import Clock

State = Literal["starting", "idle", "busy", "stopping", "lost"]

CHILDREN_FIRST = 0.7
"""Seconds that a worker has for its last words after everything below it was killed."""
CLEARING = 2.0
"""Seconds beyond the grace that a worker has to end what its run left."""
KEEPER_PATIENCE = 5.0
"""Seconds after which a keeper that was told to kill everything is no longer relied on."""
HELLO_PATIENCE = 60.0
"""Seconds that a worker has to start."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all members of a pool share."""

    command: list[str]
    environment: dict[str, str]
    settings: dict[str, Any]
    clock: Clock
    on_event: EventSink
    on_end: EndSink
    output: IO[bytes]


class Member:
    def __init__(self, member_id: str, around: Surroundings, changed: Callable[[Member], None]) -> None:
        self.id = member_id
        self.state: State = "starting"
        self.assignment: Assignment | None = None
        self.runs_done = 0
        self.started_at: datetime = around.clock.now()
        self.gone = asyncio.Event()
        """Set when no process of this worker is left."""
        self.retiring = False
        self.was_ready = False
        self.pulse = Pulse()
        self._around = around
        self._changed = changed
        self._worker: processes.Process | None = None
        self._keeper: processes.Process | None = None
        self._killed = 0
        self._unwatched = asyncio.Event()
        self._straying: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        return self._worker.pid if self._worker else self._process.pid

    async def start(self) -> None:
        """Start the processes; `changed` is called when the worker is idle, and whenever that changes."""
        link, their_link = socket.socketpair()
        control, their_control = socket.socketpair()
        with their_link, their_control:
            try:
                self._process = self._spawn(their_link.fileno(), their_control.fileno())
            except OSError:
                link.close()
                control.close()
                raise
        self._keeper = processes.find(self._process.pid)
        self._link = await Link.open(link)
        self._control = await Link.open(control)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._mind_keeper())]
        patience = asyncio.get_running_loop().call_later(HELLO_PATIENCE, self._give_up)
        self._patience = patience

    def execute(self, order: Order) -> None:
        """Hand the order over; the worker must be idle."""
        if self.state != "idle":
            raise RuntimeError(f"worker {self.id} is {self.state}, not idle")
        self.assignment = Assignment(order)
        self._become("busy")
        if limits.is_watched(order):
            self._control.write(limits.begin_watch(order, self.pid))
        self._link.write(order.model_dump_json().encode() + b"\n")
        if order.timeout is not None:
            self._later(order.timeout, self.cancel, "timeout")

    def cancel(self, reason: Asked) -> None:
        """Ask the run to end; KILL to all of it when the grace is over. Asked twice, the first reason counts."""
        held = self.assignment
        if held is None or held.asked is not None:
            return
        held.asked = reason
        word = CancelOrder(run_id=held.order.run_id, reason="timeout" if reason == "timeout" else "cancel")
        self._link.write(word.model_dump_json().encode() + b"\n")
        held.kill_at = asyncio.get_running_loop().time() + held.order.kill_grace
        self._later(held.order.kill_grace, self._kill_children)

    def retire(self, patience: float = 0.0) -> None:
        """Take no further order, but for one that may be on its way for `patience` seconds; exit when none is in hand."""
        self.retiring = True
        if patience and self.assignment is None and self.state == "idle":
            asyncio.get_running_loop().call_later(patience, self.retire)
        elif self.assignment is None and self.state in ("idle", "starting", "busy"):
            self._become("stopping")
            self._link.write(StopOrder().model_dump_json().encode() + b"\n")

    async def feel_pulse(self, lease: float) -> None:
        """A worker, or its keeper, that has been stopped for as long as a lease is lost: what it holds is needed."""
        stopped = self.pulse.feel((self._worker, self._keeper), asyncio.get_running_loop().time())
        if stopped < lease or self.state == "lost" or self.gone.is_set():
            return
        _log.warning("a worker was stopped by a signal and is ended", worker=self.id, pid=self.pid, seconds=stopped)
        self._become("lost")
        if self.assignment is not None:
            text = f"its worker (process {self.pid}) was stopped by a signal for longer than the lease of {lease:g} s"
            await self._tell_in_log(self.assignment, f"{text}, and is ended")
        self.kill()
        if self._keeper is not None and is_stopped(self._keeper):
            self._distrust_keeper()

    def kill(self) -> None:
        """KILL to everything that this worker is and started."""
        self._control.write(b"k\n")
        asyncio.get_running_loop().call_later(KEEPER_PATIENCE, self._distrust_keeper)

    def _spawn(self, link: int, control: int) -> subprocess.Popen[bytes]:
        settings = {**self._around.settings, "link": link, "control": control}
        return subprocess.Popen(  # noqa: S603 (its own interpreter and module)
            [*self._around.command, json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=self._around.output,
            stderr=self._around.output,
            pass_fds=(link, control),
            env=self._around.environment,
            start_new_session=True,  # a Ctrl-C at the agent's terminal is for the agent
        )

    async def _listen(self) -> None:
        """Everything that the worker says, in order; then, when nothing of it is left, the end of the run it had."""
        async for line in self._link:
            try:
                await self._receive(events.validate_json(line))
            except ValidationError:
                _log.exception("a worker said what no worker says", worker=self.id, line=line[:200])
                self.kill()
        await self._end()

    async def _receive(self, event: object) -> None:
        held = self.assignment
        if isinstance(event, Hello):
            self._worker = processes.find(event.pid)
            self.was_ready = True
            self._patience.cancel()
            self._become("stopping" if self.retiring else "idle")
        elif held is None or not isinstance(event, RunMessage) or not held.concerns(event):
            return
        elif isinstance(event, Exceeded):
            self._exceeded(event, held)
        elif isinstance(event, Ended):
            held.ended = event
            if held.asked is None:
                held.stop_timers()
                self._later(held.order.kill_grace + CLEARING, self.kill)
        elif isinstance(event, Cleared):
            await self._cleared(event, held)
        else:
            await self._tell(event)

    def _exceeded(self, event: Exceeded, held: Assignment) -> None:
        held.exceeded = held.exceeded or event
        held.distrusted = held.distrusted or event.own
        self.cancel("limit")

    async def _cleared(self, event: Cleared, held: Assignment) -> None:
        held.stop_timers()
        if limits.is_watched(held.order) or held.children_killed:
            await self._end_watch(held)  # or the KILL that was meant for this run would meet the next one
        if event.threads or held.ended is None:
            _log.warning(
                "a driver left threads running; its worker is ended", run=held.order.run_id, type=held.order.type
            )
            self.kill()  # the end of the run follows when the worker is gone
            return
        if held.distrusted:
            self.kill()
            return
        held.stop_timers()
        await remove_folder(held.order.scratch)
        self.assignment = None
        self.runs_done += 1
        if self.retiring:
            self.retire()
        else:
            self._become("idle")
        await self._finish(held)

    async def _end_watch(self, held: Assignment) -> None:
        """Until the keeper has done and said all that it has to about the run, or is gone."""
        self._unwatched.clear()
        self._control.write(limits.end_watch(held.order, self.pid))
        answers = [asyncio.ensure_future(event.wait()) for event in (self._unwatched, self.gone)]
        done, late = await asyncio.wait(answers, timeout=KEEPER_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for each in late:
            each.cancel()
        if not done:
            held.distrusted = True

    async def _end(self) -> None:
        """The worker speaks no more: have its processes ended, TERM first unless the grace is over, and see them gone."""
        held = self.assignment
        self._become("stopping" if self.retiring and held is None else "lost")
        grace = held.order.kill_grace if held else 0.0
        if held is not None and held.kill_at is not None:
            grace = max(0.0, held.kill_at - asyncio.get_running_loop().time())
        elif held is not None:
            held.stop_timers()
        if not self.gone.is_set():
            self._control.write(b"t\n")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), grace)
        if not self.gone.is_set():
            self.kill()
        await self.gone.wait()
        if held is not None:
            held.stop_timers()
            await remove_folder(held.order.scratch)
            self.assignment = None
            await self._tell_killed(held)
            await self._finish(held)
        self._become(self.state)

    async def _finish(self, held: Assignment) -> None:
        try:
            await self._around.on_end(self.id, held.last_word(self._around.clock), held.message)
        except Exception:  # what a sink makes of it must not stop the worker's other runs
            _log.exception("the end of a run was not taken", run=held.order.run_id)
        held.done.set()

    async def _tell(self, event: RunMessage) -> None:
        try:
            await self._around.on_event(self.id, event)
        except Exception:
            _log.exception("an event of a run was not taken", run=event.run_id)

    async def _tell_killed(self, held: Assignment) -> None:
        if self._killed:
            text = f"ended by KILL: {self._killed} process{'es' if self._killed > 1 else ''} of this run"
            await self._tell_in_log(held, text)

    async def _tell_in_log(self, held: Assignment, text: str) -> None:
        line = WireLine(at=self._around.clock.now(), level="warning", text=text)
        await self._tell(Logged(**held.message.model_dump(), lines=[line]))

    async def _mind_keeper(self) -> None:
        clear = False
        async for line in self._control:
            word = json.loads(line)
            if word["op"] == "lost":
                self._link.drain()
            elif word["op"] == "exceeded":
                self._told_of_excess(word)
            elif word["op"] == "unwatched":
                self._unwatched.set()
            elif word["op"] == "clear":
                clear, self._killed = True, word["killed"]
        if not clear:
            self._distrust_keeper()
        if self._straying is not None:
            await self._straying
        self._control.close()
        self._link.drain()
        await asyncio.to_thread(self._process.wait)
        self.gone.set()

    def _told_of_excess(self, word: dict[str, Any]) -> None:
        held = self.assignment
        if held is not None and word["run"] == limits.name_of(held.order):
            self._exceeded(Exceeded(**held.message.model_dump(), **word), held)

    def _distrust_keeper(self) -> None:
        """The keeper is dead or does not answer: the agent itself ends what is left."""
        if not self.gone.is_set() and self._straying is None:
            self._become("lost")
            self._straying = asyncio.create_task(self._end_strays())

    async def _end_strays(self) -> None:
        runs = [self.assignment.order.run_id] if self.assignment else []
        known = [process for process in (self._keeper, self._worker) if process is not None]
        await strays.end_run(runs, known, 0.0)
        self._control.close()

    def _kill_children(self) -> None:
        """The grace is over: first what is below the worker, so that it can still say how it ended; then the worker."""
        if self.assignment is not None:
            self.assignment.children_killed = True
        self._control.write(b"c\n")
        self._later(CHILDREN_FIRST, self.kill)

    def _give_up(self) -> None:
        _log.error("a worker did not start in time", worker=self.id, seconds=HELLO_PATIENCE)
        self.kill()

    def _later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        if self.assignment is not None:
            self.assignment.timers.append(asyncio.get_running_loop().call_later(seconds, call, *arguments))

    def _become(self, state: State) -> None:
        doomed = self.gone.is_set() or self._straying is not None
        self.state = "lost" if doomed and state == "idle" else state
        self._changed(self)

    async def join(self) -> None:
        """Return when everything about this worker is over, its sinks included."""
        await asyncio.gather(*self._tasks)


async def remove_folder(folder: str) -> None:
    """The folder that a run had to itself, if there is one."""
    if os.path.lexists(folder):  # noqa: ASYNC240 (most runs never use theirs, and a thread costs more than they do)
        await asyncio.to_thread(_remove_now, Path(folder))


def _remove_now(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _log.warning("the folder of a run could not be removed", folder=str(folder))
