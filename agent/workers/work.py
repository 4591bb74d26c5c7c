"""The worker's life: orders come in, and the driver's code runs in the main thread, one run after another."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import socket
import threading
import time
import traceback
from types import FrameType
from typing import Any, NoReturn

from agent.core.driving import RunCancelled
from agent.core.wire import AnyOrder, CancelOrder, LaidOrder, Order, RecallOrder, SettledOrder, line_of, orders
from agent.workers import capture as capture_module
from agent.workers import context as context_module
from agent.workers import outbox as outbox_module
from agent.workers import printing as printing_module
from agent.workers import processes
from agent.workers.capture import Capture, Pipe
from agent.workers.context import Cancelled, WorkerContext
from agent.workers.entries import preload
from agent.workers.hearing import Hearing
from agent.workers.leftovers import children_left, end_children
from agent.workers.outbox import Outbox
from agent.workers.running import ProcessState, run
from shared.clock import SystemClock

INTERRUPT_AFTER = 2.0
"""Seconds (at most half the grace) after which a driver that has not looked at `cancelled` is interrupted."""
RETRY_AFTER = 0.05
"""Seconds after which that is tried again, if the driver was just saying something."""

_SPEAKING = (capture_module.__file__, context_module.__file__, outbox_module.__file__, printing_module.__file__)
_BEGIN = LaidOrder(begin=True)
_BEGIN_LINE = line_of(_BEGIN).rstrip(b"\n")
"""What most runs wait for: to read it as what it is takes as long as all that comes behind it."""


class Workplace:
    """One worker process: what it was told, and what it does now."""

    def __init__(self, link: socket.socket, capture: Capture) -> None:
        self.clock = SystemClock()
        self.outbox = Outbox(link, self.clock.monotonic)
        self._link = link
        self._pid = os.getpid()
        self._capture = capture
        self._mark = processes.VisibleMark()
        self._contexts: dict[str, WorkerContext] = {}
        """Of all runs that were ordered and are not over, by their ids."""
        self._laid: list[WorkerContext] = []
        """Of runs whose moment has not come."""
        self._context: WorkerContext | None = None
        """Of the run that has the main thread."""
        self._taking = threading.Lock()
        """Held from when a run is taken to be given back until that is said: no word of a later run comes before it."""

    def work(self) -> None:
        """Execute orders until told to stop."""
        signal.signal(signal.SIGTERM, self._interrupt)
        self._process = ProcessState(self._capture)
        self._hearing = Hearing[WorkerContext | None](
            self._link, obey=self._obey, lasts=self.outbox.send_soon, lost=self._abandoned
        )
        self.outbox.put({"op": "hello", "pid": os.getpid()})
        self._own_threads = threading.active_count() - len(_foreign_threads())
        while (context := self._hearing.next()) is not None:
            with self._taking:
                taken = context.take()
            if taken:
                self._execute(context)

    def _execute(self, context: WorkerContext) -> None:
        self._context = context
        self._mark.bear(context.run_id)
        began = context.hold_at("started")
        word = run(context, self._process)
        if os.getpid() != self._pid:
            os._exit(0)  # a copy that the driver forked and let return: it is no worker
        at = context.now()
        if children_left():
            context.send("ended", at=at, **word)
            self.outbox.flush()
            end_children(self.clock.monotonic, self._grace(context))
            self._capture.drain()
            left = self._lay_down(context)
            context.send_now("cleared", **left)
        else:
            left = self._lay_down(context)
            if self.outbox.withdraw(began):
                word["began"] = began["at"]
            context.send_now("ended", at=at, **word, cleared={**context.identity, **left})
        while left["threads"]:
            time.sleep(60)  # nothing begins beside them: the agent ends this worker

    def _lay_down(self, context: WorkerContext) -> dict[str, Any]:
        """The run is over; what it left."""
        threads = _threads_left() if threading.active_count() > self._own_threads else 0
        self._context = None
        self._contexts.pop(context.run_id, None)
        self._mark.lay_down()
        return {"threads": threads, "scratch": os.path.lexists(context.order.scratch)}

    def _grace(self, context: WorkerContext) -> float:
        if context.cancelled_at is None:
            return context.kill_grace
        return max(0.0, context.cancelled_at + context.kill_grace - self.clock.monotonic())

    def _obey(self, line: bytes) -> None:
        try:
            self._follow(_BEGIN if line == _BEGIN_LINE else orders.validate_json(line))
        except Exception:  # a worker that hears nothing any more would keep its next order for ever
            traceback.print_exc()
            self._abandoned()

    def _follow(self, message: AnyOrder) -> None:
        if isinstance(message, Order):
            context = self._contexts[message.run_id] = WorkerContext(
                message, self.outbox, self.clock, self._capture.drain
            )
            (self._laid.append if message.laid else self._hearing.put)(context)
        elif isinstance(message, LaidOrder):
            self._decide_laid(begin=message.begin)
        elif isinstance(message, CancelOrder):
            self._cancel(message)
        elif isinstance(message, RecallOrder):
            self._give_back(message)
        elif isinstance(message, SettledOrder):
            self._settled(message)
        else:
            self._hearing.put(None)

    def _decide_laid(self, *, begin: bool) -> None:
        laid, self._laid = self._laid, []
        for context in laid:
            if begin:
                self._hearing.put(context)
            elif context.take():
                del self._contexts[context.run_id]

    def _cancel(self, message: CancelOrder) -> None:
        """What waits ends when its turn comes, before the driver has it."""
        context = self._contexts.get(message.run_id)
        if context is None or context.cancelled_at is not None:
            return
        context.cancelled_at = self.clock.monotonic()
        context.cancelled.set()
        self._remind_after(min(INTERRUPT_AFTER, context.kill_grace / 2), context)

    def _give_back(self, message: RecallOrder) -> None:
        for run_id in message.run_ids:
            context = self._contexts.get(run_id)
            with self._taking:
                if context is not None and context.take():
                    del self._contexts[run_id]
                    context.send("returned")
        self.outbox.flush()

    def _settled(self, message: SettledOrder) -> None:
        context = self._contexts.get(message.run_id)
        if context is not None:
            context.settled.set()

    def _remind_after(self, seconds: float, context: WorkerContext) -> None:
        timer = threading.Timer(seconds, self._remind, [context])
        timer.name, timer.daemon = "jobdeck-reminder", True
        timer.start()

    def _remind(self, context: WorkerContext) -> None:
        if context is self._context and not _noticed(context):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def _interrupt(self, _number: int, frame: FrameType | None) -> None:
        """TERM: stop a driver that does not look. From elsewhere (a service manager that signals a whole group) it
        means nothing here: the agent gets it too, and decides."""
        context = self._context
        if context is None or context.cancelled_at is None or _noticed(context):
            return
        if not context.in_driver or _is_speaking(frame):  # half a line would make the rest unreadable
            context.interrupted = context.in_driver
            self._remind_after(RETRY_AFTER, context)
            return
        context.cancelled.is_set()  # noticed now: interrupted once, not twice
        for process in processes.descendants(os.getpid(), processes.table()):
            processes.terminate(process)
        raise RunCancelled

    def _abandoned(self) -> NoReturn:
        """The agent is gone: nobody can take down what this run does, so it ends here."""
        for context in list(self._contexts.values()):
            context.cancelled.set()
        end_children(self.clock.monotonic, 1.0)
        os._exit(1)


def work(link: socket.socket, entries: list[str], out: Pipe, error: Pipe) -> NoReturn:
    """Be a worker until told to stop; never returns, so that no thread or exit handler of a driver can hold the process.
    What is written to standard output and standard error goes into the two pipes."""
    capture = Capture(out, error)
    faulthandler.enable(2)
    _defer_to_the_agent()
    preload(entries)
    gc.freeze()  # what is loaded stays: the collector need not look through it in the middle of a run
    Workplace(link, capture).work()
    os._exit(0)


def _defer_to_the_agent() -> None:
    """Who is woken by an order takes the processor from the agent no more, which has the next orders to give: it waits for
    its turn. The share of the processor is the same. What runs start inherits it; a policy that somebody chose stays."""
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _noticed(context: WorkerContext) -> bool:
    return isinstance(context.cancelled, Cancelled) and context.cancelled.noticed


def _is_speaking(frame: FrameType | None) -> bool:
    """True while the main thread is in code that says something."""
    while frame is not None:
        if frame.f_code.co_filename in _SPEAKING:
            return True
        frame = frame.f_back
    return False


def _threads_left() -> int:
    """Threads that the driver left behind, after a moment to end."""
    left = _foreign_threads()
    for thread in left:
        thread.join(0.5 / len(left))
    return len(_foreign_threads()) if left else 0


def _foreign_threads() -> list[Any]:
    main = threading.main_thread()
    return [one for one in threading.enumerate() if one is not main and not one.name.startswith("jobdeck-")]
