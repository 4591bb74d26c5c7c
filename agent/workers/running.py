"""One run of a driver's code, from its parameters to its last word."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from _signal import getsignal  # type: ignore[import-not-found]  # signal's own looks for a name for each
from pathlib import Path
from typing import Any, Literal, cast

from agent.core.driving import DriverError, RunCancelled
from agent.core.running.fingerprint import fingerprint
from agent.workers.calling import call_driver, kept
from agent.workers.capture import Capture
from agent.workers.context import WorkerContext
from agent.workers.entries import load
from agent.workers.plain import text_of
from agent.workers.printing import Printed
from agent.workers.sequence import run_steps

MESSAGE_LIMIT = 4000
"""Characters of an error's message that are kept; the log has the rest."""

LastWord = dict[str, Any]


def run(context: WorkerContext, process: ProcessState) -> LastWord:
    """Run the driver; the fields of its `Ended`."""
    try:
        with process.lent_to(context):
            result = _call(context)
    except RunCancelled:
        return _stopped(context)
    except DriverError as error:
        return _failed(context, error.kind, error.message, transient=error.transient, result=_left(context, error))
    except BaseException as error:  # SystemExit and KeyboardInterrupt are a driver's failures like any other
        context.log("".join(traceback.format_exception(error)).rstrip(), level="error")
        return _failed(context, "error", f"{type(error).__name__}: {text_of(error)}", transient=False)
    return {"outcome": "completed", "result": result}


def _call(context: WorkerContext) -> dict[str, Any]:
    load(context.order.entry)  # it may take a while
    context.check_cancelled()
    _check_lease(context)
    order = context.order
    if not (order.snapshots_before or order.snapshots_after):
        return _drive(context)
    _take_snapshots(context, order.snapshots_before, "before")
    result = _drive(context)
    _take_snapshots(context, order.snapshots_after, "after")
    return result


def _drive(context: WorkerContext) -> dict[str, Any]:
    if context.order.actions:
        return run_steps(context)
    return call_driver(context, context, context.order.entry, context.order.data)


def _take_snapshots(context: WorkerContext, datasets: list[str], when: Literal["before", "after"]) -> None:
    from agent.resources.datasets.around import take_snapshots  # more than a worker loads at its start

    context.check_cancelled()
    context.in_driver = True
    try:
        take_snapshots(context, datasets, when)
    finally:
        context.in_driver = False


def _check_lease(context: WorkerContext) -> None:
    """Nothing begins when its claim is over: agent or worker were stopped, and the run may be another's by now. The
    worker bears the run's mark already, so whoever takes the run on ends it, should it be stopped from here on."""
    until = context.order.lease_until
    if until is not None and context.clock.now() >= until:
        message = f"it was to begin after its lease had ended at {until:%H:%M:%S}; nothing of it has begun"
        raise DriverError("lease_over", message, transient=True)


def _stopped(context: WorkerContext) -> LastWord:
    if context.cancelled.is_set():
        return {"outcome": "cancelled"}
    return _failed(context, "driver", "the driver stopped as if it had been cancelled, but it was not", transient=False)


def _left(context: WorkerContext, error: DriverError) -> dict[str, Any] | None:
    """What was done until then, if it can be kept."""
    if error.result is None:
        return None
    try:
        return kept(error.result, context.masking)
    except DriverError as refusal:
        context.log(f"what was done until then is not kept: {refusal.message}", level="warning")
        return None


def _failed(
    context: WorkerContext, kind: str, message: str, *, transient: bool, result: dict[str, Any] | None = None
) -> LastWord:
    """A failure after the cancel was asked for comes of it: connections close, programs die."""
    if context.cancelled.is_set():
        context.log(f"while stopping: {kind}: {message}", level="warning")
        return {"outcome": "cancelled"}
    text = context.masking.text(message)[:MESSAGE_LIMIT]
    error = {
        "kind": kind,
        "message": text,
        "transient": transient,
        "fingerprint": fingerprint(context.order.type, kind, text),
    }
    return {"outcome": "failed", "error": error, "result": result}


_SIGNALS = (signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)
"""By which the worker interrupts, by which the ends of programs are told, and what code sets most of all."""


class ProcessState:
    """What is the same for all runs of a process, though a driver can change it: folder, umask, streams, signals."""

    def __init__(self, capture: Capture) -> None:
        """As they are now: what the worker itself makes of signals is set before."""
        self.capture = capture
        self._folder = str(Path.cwd())  # every run goes back to it
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._streams = sys.stdout, sys.stderr
        self._handlers = [(number, getsignal(number)) for number in _SIGNALS]
        self.printed = Printed("stdout", 1, capture.aside), Printed("stderr", 2, capture.aside)

        os.register_at_fork(after_in_child=self._be_copy)

    def _be_copy(self) -> None:
        """A driver forked: what the copy prints is read by this process's original, and is in its run's log."""
        self.capture.leave_to_parent()
        for printed in self.printed:
            printed.print_through()

    def lent_to(self, context: WorkerContext) -> _Lent:
        return _Lent(self, context)

    def restore(self) -> None:
        sys.stdout, sys.stderr = self._streams
        os.umask(self._mask)
        os.chdir(self._folder)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm that one run left would end the next
        for number, handler in self._handlers:
            if getsignal(number) is not handler:
                signal.signal(number, handler)


class _Lent:
    """What the driver prints goes to its log; what it does to its process ends with it. Not a generator, nor
    `redirect_stdout` around it: every run enters it."""

    def __init__(self, state: ProcessState, context: WorkerContext) -> None:
        self._state = state
        self._context = context

    def __enter__(self) -> None:
        self._variables = _variables.copy()
        self._state.capture.begin(self._context)
        for printed in self._state.printed:
            printed.begin(self._context)
        sys.stdout, sys.stderr = self._state.printed

    def __exit__(self, *_error: object) -> None:
        self._state.restore()
        self._state.capture.end()
        for printed in self._state.printed:
            printed.end()
        if _variables != self._variables:
            os.environ.clear()
            os.environb.update(self._variables)


_variables: dict[bytes, bytes] = cast("Any", os.environ)._data
"""As the environment itself has them: to make text of each takes longer than all else around a short run."""
