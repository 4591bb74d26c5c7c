"""One worker of the pool as the agent sees it: its process, its keeper, its order, and the way to its end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import structlog
from pydantic import ValidationError

from agent.core.wire import (
    CancelOrder,
    Cleared,
    Ended,
    Exceeded,
    Hello,
    LaidOrder,
    Order,
    RecallOrder,
    Returned,
    RunMessage,
    StopOrder,
    WorkerOrder,
    events,
    line_of,
)
from agent.workers import limits, processes
from agent.workers.assignment import Asked, Assignment
from agent.workers.keeper_link import KeeperLink, Ward
from agent.workers.link import Link
from agent.workers.patience import CHILDREN_FIRST, CLEARING, HELLO_PATIENCE
from agent.workers.prepared import Prepared
from agent.workers.pulse import Pulse, is_stopped
from agent.workers.rush import Rush
from agent.workers.scratch import remove_folder
from agent.workers.sinks import Sinks
from agent.workers.surroundings import Surroundings
from agent.workers.waiting import Waiting

State = Literal["starting", "idle", "busy", "stopping", "lost"]

_log = structlog.get_logger(__name__)


class Member:
    def __init__(self, member_id: str, around: Surroundings, changed: Callable[[Member], None]) -> None:
        self.id = member_id
        self.state: State = "starting"
        self.assignment: Assignment | None = None
        self._waiting = Waiting(self.recall)
        self.runs_done = 0
        self.started_at: datetime = around.clock.now()
        self.retiring = False
        self.relieved = False
        """Its successor is on the way."""
        self.was_ready = False
        self.pulse = Pulse()
        self._around = around
        self._changed = changed
        self._worker: processes.Process | None = None
        self._keeper = KeeperLink(Ward(lambda: self._link.drain(), self._told_of_excess, self._forsaken, self._left))
        self._tasks: list[asyncio.Task[None]] = []
        self._sinks = Sinks(self.id, around)
        self.prepared = Prepared(lambda: self.state == "idle", lambda line: self._link.write_now(line), self._begin)

    @property
    def pid(self) -> int:
        return self._worker.pid if self._worker else self._keeper.pid

    @property
    def gone(self) -> asyncio.Event:
        """Set when no process of this worker is left."""
        return self._keeper.gone

    async def start(self) -> None:
        """Start the processes; `changed` is called when the worker is idle, and whenever that changes."""
        link, their_link = socket.socketpair()
        control, their_control = socket.socketpair()
        with their_link, their_control:
            try:
                link.setblocking(False)
                self.prepared.open(link.dup())
                process = self._around.start(their_link.fileno(), their_control.fileno())
            except OSError:
                self.prepared.close()
                link.close()
                control.close()
                raise
        await self._keeper.open(process, control)
        self._link = await Link.open(link)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keeper.listen())]
        self._patience = asyncio.get_running_loop().call_later(HELLO_PATIENCE, self._give_up)

    @property
    def waiting(self) -> int:
        """Orders that wait behind its run."""
        return len(self._waiting)

    @property
    def may_wait(self) -> bool:
        """Whether orders may wait in this worker: not behind a run that has taken long, or that is watched."""
        held = self.assignment
        if self.retiring or not self.pulse.beats or self.state not in ("idle", "busy"):
            return False
        if held is None:
            return True
        return not (limits.is_watched(held.order) or held.asked is not None or self._waiting.patience_is_over)

    def execute(self, order: Order) -> None:
        """Hand the order over; the worker must be idle."""
        self.prepared.hold()
        if self.state != "idle":
            raise RuntimeError(f"worker {self.id} is {self.state}, not idle")
        line = line_of(order)  # first: an order that cannot be written is nobody's
        if limits.is_watched(order):
            self._keeper.watch(order, self.pid)
        self._link.write(line)
        self._begin(Assignment(order))

    def promise(self, order: Order) -> None:
        """Hand over an order that waits behind what the worker has; idle, it begins at once."""
        if self.state == "idle":
            self.execute(order)
            return
        held = self.assignment
        if self.state != "busy" or held is None or held.asked is not None or limits.is_watched(order):
            raise RuntimeError(f"nothing can wait in worker {self.id}, which is {self.state}")
        self.say(order)
        self._waiting.add(Assignment(order))

    def lay(self, order: Order) -> None:
        """Hand over an order whose moment has not come: nothing of it begins before `decide_laid`."""
        if not self.may_wait or limits.is_watched(order):
            raise RuntimeError(f"nothing can be laid in worker {self.id}, which is {self.state}")
        self.say(order.model_copy(update={"laid": True}))
        self._waiting.lay(Assignment(order))

    def tell_laid(self, rush: Rush, *, begin: bool) -> None:
        """The word that begins what was laid here, or has it forgotten; `decide_laid` follows."""
        if laid := self._waiting.laid:
            self._link.write_now(line_of(LaidOrder(begin=begin)))
            if begin:
                rush.add(self._link, laid)

    def decide_laid(self, *, begin: bool) -> None:
        """What was laid here has begun, or is forgotten; of that nobody hears."""
        laid = self._waiting.take_laid()
        for held in laid if begin else ():
            (self._begin if self.state == "idle" else self._waiting.add)(held)

    def say(self, word: WorkerOrder) -> None:
        self._link.write(line_of(word))

    def has(self, run_id: str) -> bool:
        held = self.assignment
        return self._waiting.get(run_id) is not None or (held is not None and held.order.run_id == run_id)

    def recall(self) -> None:
        """Have all that has not begun given back, each told by `on_return`."""
        if called := self._waiting.call_back():
            self.say(RecallOrder(run_ids=called))

    def cancel(self, reason: Asked, run_id: str | None = None) -> None:
        """Ask the run to end (`run_id`: another one than the current); KILL to all of it when the grace is over. Asked
        twice, the first reason counts."""
        held = self.assignment if run_id is None else self._waiting.get(run_id) or self.assignment
        if held is None or held.asked is not None:
            return
        held.asked = reason
        self._link.end_gathering()  # it may have said long since that the run is over
        if not held.cleared:
            self.say(CancelOrder(run_id=held.order.run_id, reason="timeout" if reason == "timeout" else "cancel"))
        if held is self.assignment and not held.cleared:
            self.recall()  # what ends this run must not meet the next one
            self._count_down(held)
        if reason == "stop":
            for waiting in self._waiting.run_ids:
                self.cancel("stop", waiting)

    def retire(self, patience: float = 0.0) -> None:
        """Take no further order, but for one that may be on its way for `patience` seconds; exit when none is in hand."""
        self.prepared.hold()
        self.retiring = True
        if patience and self.assignment is None and self.state == "idle":
            asyncio.get_running_loop().call_later(patience, self.retire)
        elif self.assignment is None and self.state in ("idle", "starting", "busy"):
            self._become("stopping")
            self.say(StopOrder())

    async def feel_pulse(self, lease: float) -> bool:
        """A worker, or its keeper, that has been stopped for as long as a lease is lost: what it holds is needed. True:
        it moves again."""
        moved = self.pulse.beats
        stopped = self.pulse.feel((self._worker, self._keeper.process), asyncio.get_running_loop().time())
        if stopped < lease or self.state == "lost" or self.gone.is_set():
            return self.pulse.beats and not moved
        self.prepared.hold()
        _log.warning("a worker was stopped by a signal and is ended", worker=self.id, pid=self.pid, seconds=stopped)
        self._become("lost")
        if self.assignment is not None:
            text = f"its worker (process {self.pid}) was stopped by a signal for longer than the lease of {lease:g} s"
            await self._sinks.tell_in_log(self.assignment, f"{text}, and is ended")
        self.kill()
        if self._keeper.process is not None and is_stopped(self._keeper.process):
            self._keeper.distrust()
        return False

    def kill(self) -> None:
        """KILL to everything that this worker is and started."""
        self._keeper.kill()

    async def _listen(self) -> None:
        """Everything that the worker says, in order; then, when nothing of it is left, the end of the run it had."""
        async for line in self._link:
            try:
                await self._receive(events.validate_json(line))
            except ValidationError:
                _log.exception("a worker said what no worker says", worker=self.id, line=line[:200])
                self.kill()
            except Exception:  # or nobody would hear this worker any more, and its run would never end
                _log.exception("a word of a worker could not be followed", worker=self.id, line=line[:200])
                self.kill()
        await self._end()

    def _begin(self, held: Assignment) -> None:
        """It has the worker from now on."""
        self.assignment = held
        self._waiting.begin_behind()
        if held.asked is not None:
            self._count_down(held)
        elif held.order.timeout is not None:
            self._later(held.order.timeout, self.cancel, "timeout")
        self._become("busy")

    def _count_down(self, held: Assignment) -> None:
        held.kill_at = asyncio.get_running_loop().time() + held.order.kill_grace
        self._later(held.order.kill_grace, self._kill_children)

    async def _receive(self, event: object) -> None:
        self.prepared.settle()
        held = self.assignment
        if isinstance(event, Hello):
            self._worker = processes.find(event.pid)
            self.was_ready = True
            self._patience.cancel()
            self._become("stopping" if self.retiring else "idle")
        elif isinstance(event, Returned):
            self._given_back(event)
        elif held is None or not isinstance(event, RunMessage) or not held.concerns(event):
            return
        elif isinstance(event, Exceeded):
            self._exceeded(event, held)
        elif isinstance(event, Ended):
            held.ended = event
            if event.cleared is not None:
                await self._cleared(event.cleared, held)
            elif held.asked is None:
                held.stop_timers()
                self._later(held.order.kill_grace + CLEARING, self.kill)
        elif isinstance(event, Cleared):
            await self._cleared(event, held)
        else:
            await self._sinks.tell(event)

    def _exceeded(self, event: Exceeded, held: Assignment) -> None:
        held.exceeded, held.distrusted = held.exceeded or event, held.distrusted or event.own
        self.cancel("limit")

    async def _cleared(self, event: Cleared, held: Assignment) -> None:
        held.cleared = True
        held.stop_timers()
        if limits.is_watched(held.order) or held.children_killed:
            # Or the KILL that was meant for this run would meet the next one.
            answered = await self._keeper.end_watch(held.order, self.pid)
            held.distrusted |= not answered
        if event.threads or held.ended is None:
            _log.warning(
                "a driver left threads running; its worker is ended", run=held.order.run_id, type=held.order.type
            )
            self.kill()  # the end of the run follows when the worker is gone
            return
        if held.distrusted:
            self.kill()
            return
        if event.scratch:
            await remove_folder(held.order.scratch)
        self.runs_done += 1
        self._go_on()
        self._sinks.finish(held)

    def _go_on(self) -> None:
        """The worker is free of the run that it had."""
        self.assignment = None
        if self._waiting:
            self._begin(self._waiting.take_first())
        elif self.retiring:
            self.retire()
        else:
            self._become("idle")

    def _given_back(self, event: Returned) -> None:
        """By a worker that may have said meanwhile that the run before is over: then this one is thought to have begun."""
        held = self.assignment
        if held is not None and held.concerns(event):
            held.stop_timers()
            self._go_on()
            self._sinks.returned(held)
        elif (waiting := self._waiting.take(event.run_id)) is not None:
            self._sinks.returned(waiting)

    async def _end(self) -> None:
        """The worker speaks no more: have its processes ended, TERM first unless the grace is over, and see them gone."""
        self.prepared.close()
        held = self.assignment
        self._become("stopping" if self.retiring and held is None else "lost")
        grace = held.order.kill_grace if held else 0.0
        if held is not None and held.kill_at is not None:
            grace = max(0.0, held.kill_at - asyncio.get_running_loop().time())
        elif held is not None:
            held.stop_timers()
        self._keeper.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), grace)
        if not self.gone.is_set():
            self.kill()
        await self.gone.wait()
        for waiting in self._waiting.take_all():  # a worker says that a run is over before it begins the next
            self._sinks.returned(waiting)
        if held is not None:
            held.stop_timers()
            await remove_folder(held.order.scratch)
            self.assignment = None
            await self._sinks.tell_killed(held, self._keeper.killed, self._keeper.said)
            self._sinks.finish(held)
        elif self._keeper.said:
            _log.warning("a worker that had no run is gone", worker=self.id, said="\n".join(self._keeper.said))
        await self._sinks.all_taken()
        self._become(self.state)

    def _told_of_excess(self, word: dict[str, Any]) -> None:
        held = self.assignment
        if held is not None and word["run"] == limits.name_of(held.order):
            self._exceeded(Exceeded(**held.message.model_dump(), **word), held)

    def _forsaken(self) -> None:
        self.prepared.hold()
        self._become("lost")

    def _left(self) -> tuple[list[str], processes.Process | None]:
        return [self.assignment.order.run_id] if self.assignment else [], self._worker

    def _kill_children(self) -> None:
        """The grace is over: first what is below the worker, so that it can still say how it ended; then the worker."""
        if self._waiting:  # called back, and not given back: what is killed might be the next run's already
            self.kill()
            return
        if self.assignment is not None:
            self.assignment.children_killed = True
        self._keeper.kill_children()
        self._later(CHILDREN_FIRST, self.kill)

    def _give_up(self) -> None:
        _log.error("a worker did not start in time", worker=self.id, seconds=HELLO_PATIENCE)
        self.kill()

    def _later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        if self.assignment is not None:
            self.assignment.timers.append(asyncio.get_running_loop().call_later(seconds, call, *arguments))

    def _become(self, state: State) -> None:
        doomed = self.gone.is_set() or self._keeper.is_forsaken
        self.state = "lost" if doomed and state == "idle" else state
        self._changed(self)

    async def join(self) -> None:
        """Return when everything about this worker is over, its sinks included."""
        await asyncio.gather(*self._tasks)
