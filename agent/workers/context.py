"""What a driver's code sees of its run: `RunContext` of driving.py, on top of the outbox."""

from __future__ import annotations

import operator
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar

from agent.core.actions.steps import Steps
from agent.core.driving import LOG_TAIL, RunCancelled, StepHandle
from agent.core.running.masking import Masking
from agent.core.running.nesting import DEEPEST_CHECKPOINT, DEEPEST_RESULT, is_deeper
from agent.core.wire import AttachmentGrant, ConnectionGrant, DatasetGrant, KnowledgeBaseGrant, Order
from agent.workers import processes
from agent.workers.outbox import Outbox
from agent.workers.plain import plain, text_of
from shared.clock import Clock

Granted = TypeVar("Granted")

LINE_LIMIT = 64 * 1024
"""Characters of one log line; a longer one is split."""
TAIL_LINE = 2000
"""Characters of a line that are remembered for an attachment."""
LARGEST = 2**63 - 1
"""Of the numbers that a store holds."""
SHOWN = 60
"""Characters of a value that an error repeats."""
CANCEL_SECONDS = 0.1
"""Between two looks for a cancel while the agent is waited for."""
LEVELS = ("debug", "info", "warning", "error")
STREAMS = ("log", "stdout", "stderr")


class Cancelled(threading.Event):
    """An event that knows whether the driver has seen it: one that has is left to stop by itself."""

    noticed = False

    def is_set(self) -> bool:
        found = super().is_set()
        self.noticed = self.noticed or found
        return found

    def wait(self, timeout: float | None = None) -> bool:
        found = super().wait(timeout)
        self.noticed = self.noticed or found
        return found


class WorkerContext:
    """Implements `RunContext`."""

    def __init__(self, order: Order, outbox: Outbox, clock: Clock, catch_up: Callable[[], object]) -> None:
        """`catch_up`: tell what programs have written until now."""
        self.run_id = order.run_id
        self.attempt = order.attempt
        self.job_id = order.job_id
        self.job_name = order.job_name
        self.account_id = order.account_id
        self.kill_grace = order.kill_grace
        self.clock = clock
        self.cancelled: threading.Event = Cancelled()
        self.cancelled_at: float | None = None
        """By the monotonic clock."""
        self.checkpoint = order.checkpoint
        self.allow_private_addresses = list(order.allow_private_addresses)
        self.file_roots = list(order.file_roots)
        self.smtp_hosts = list(order.smtp_hosts)
        self.mail_server = order.mail_server
        self.idempotency_key = order.run_id
        self.steps = Steps()
        self.attachments: Sequence[AttachmentGrant] = ()
        self.tail: deque[str] | None = deque(maxlen=LOG_TAIL) if order.actions else None
        self.order = order
        self.in_driver = False
        """The driver's own code has the main thread."""
        self.interrupted = False
        """The driver is to be stopped when what it says right now is said."""
        self.masking = Masking.of(order)
        self.settled = threading.Event()
        """What was said before it was asked for is stored."""
        self._taken = threading.Lock()
        self._outbox = outbox
        self._catch_up = catch_up
        self.identity: dict[str, Any] = {"run_id": order.run_id, "attempt": order.attempt}
        self._positions = 0
        self._output = 0
        """Bytes of log lines so far; counted where they are limited."""

    @property
    def scratch(self) -> Path:
        """The run's own folder, made when it is first asked for; it is removed when the run is over."""
        folder = Path(self.order.scratch)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def take(self) -> bool:
        """True once: for who executes the run, or for who gives it back before."""
        return self._taken.acquire(blocking=False)

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise RunCancelled

    def signal_programs(self, number: int) -> int:
        found = processes.descendants(os.getpid(), processes.table())
        return sum(processes.send(process, number) for process in found)

    def progress(self, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None:
        shown = {
            "done": _whole("done", done),
            "total": None if total is None else _whole("total", total),
            "unit": str(unit),
            "note": self.masking.text(str(note)),
        }
        self._outbox.put_latest({"op": "progress", **self.identity, "progress": shown})
        if self.interrupted:
            self._stop_driver()

    def log(self, text: str, *, level: str = "info", stream: str = "log") -> None:
        if level not in LEVELS or stream not in STREAMS:
            raise ValueError(f"log: level {level!r} is one of {LEVELS}, stream {stream!r} one of {STREAMS}")
        self._catch_up()
        self.write_log(text, level=level, stream=stream)
        if self.interrupted:
            self._stop_driver()

    def write_log(self, text: str, *, level: str = "info", stream: str = "log") -> None:
        """The same, in no order with what programs write."""
        at = self.now()
        for line in _lines(str(text)):
            if self.order.limits.output is not None and not self._has_room(line, self.order.limits.output):
                break
            self._outbox.put_line(self.identity, {"at": at, "level": level, "stream": stream, "text": line})
            if self.tail is not None:
                self.tail.append(line[:TAIL_LINE])

    def warn(self, text: str) -> None:
        self.send("warning", text=self.masking.text(str(text)))

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[StepHandle]:
        step = self._next_step(key, title)
        step.enter("running")
        try:
            yield step
        except RunCancelled:
            step.enter("cancelled")
            raise
        except Exception as error:
            step.text = step.text or f"{type(error).__name__}: {text_of(error)}"
            step.enter("failed")
            raise
        step.enter("completed")

    def note_step(self, key: str, title: str, state: str, why: str) -> None:
        """A stage that ended before it began: `skipped`, or `failed`."""
        step = self._next_step(key, title)
        step.text = why
        step.enter(state)

    def save_checkpoint(self, data: dict[str, Any]) -> None:
        if not isinstance(data, dict) or is_deeper(data, DEEPEST_CHECKPOINT):
            raise ValueError(f"save_checkpoint takes a dict of at most {DEEPEST_CHECKPOINT} levels, not {_cut(data)}")
        self.checkpoint = data
        self._outbox.put_latest({"op": "checkpoint", **self.identity, "data": dict(data)})

    def connection(self, name: str) -> ConnectionGrant:
        return _granted(self.order.connections, "connection", name)

    def knowledge_base(self, name: str) -> KnowledgeBaseGrant:
        return _granted(self.order.knowledge_bases, "knowledge base", name)

    def dataset(self, alias: str) -> DatasetGrant:
        return _granted(self.order.datasets, "dataset", alias)

    def secret(self, name: str) -> str:
        return _granted(self.order.secrets, "secret", name)

    def log_tail(self, lines: int) -> list[str]:
        kept = list(self.tail or ())
        return [self.masking.text(line) for line in kept[max(0, len(kept) - lines) :]]

    def flush(self) -> None:
        """Send what was said until now, without waiting for more."""
        self._outbox.flush()

    def settle(self) -> None:
        """Return when the agent has stored all that was said until now, however long that takes. RunCancelled."""
        self.settled.clear()
        self.flush()  # first: what only counts as the last of its kind would follow
        self.send_now("settling")
        while not self.settled.wait(CANCEL_SECONDS):
            self.check_cancelled()

    def send(self, op: str, **fields: Any) -> dict[str, Any]:
        """An event of this run that must arrive; as it is in the outbox."""
        event = {"op": op, **self.identity, **fields}
        self._outbox.put(event)
        return event

    def send_now(self, op: str, **fields: Any) -> None:
        """An event of this run, with everything before it, without waiting for others."""
        self._outbox.hold({"op": op, **self.identity, **fields})
        self._outbox.flush()

    def send_at(self, op: str, **fields: Any) -> dict[str, Any]:
        """An event of this run that says when it was."""
        return self.send(op, at=self.now(), **fields)

    def hold_at(self, op: str) -> dict[str, Any]:
        """The same, sent with what comes after it, or when the run lasts."""
        event = {"op": op, **self.identity, "at": self.now()}
        self._outbox.hold(event)
        return event

    def now(self) -> str:
        moment: datetime = self.clock.now()
        return moment.isoformat()

    def _next_step(self, key: str, title: str) -> _Step:
        self._positions += 1
        return _Step(self, {"position": self._positions, "key": str(key), "title": self.masking.text(str(title))})

    def _has_room(self, line: str, limit: int) -> bool:
        """Count the line; the one that is too much is told, and neither it nor any after it is kept."""
        if self._output > limit:
            return False
        self._output += (len(line) if line.isascii() else len(line.encode("utf-8", "replace"))) + 1
        if self._output > limit:
            self.send_now("exceeded", limit="output", used=self._output)
        return self._output <= limit

    def _stop_driver(self) -> None:
        if self.in_driver and threading.current_thread() is threading.main_thread():
            self.interrupted = False
            self.check_cancelled()


class _Step:
    def __init__(self, context: WorkerContext, identity: dict[str, Any]) -> None:
        self._context = context
        self._identity = identity
        self.text = ""
        self._result: dict[str, Any] | None = None
        self._state = "running"

    def message(self, text: str) -> None:
        self.text = str(text)
        self.enter(self._state)

    def result(self, data: dict[str, Any]) -> None:
        if not isinstance(data, dict) or is_deeper(data, DEEPEST_RESULT):
            raise ValueError(f"a step's result is a dict of at most {DEEPEST_RESULT} levels, not {_cut(data)}")
        self._result = plain(data)

    def enter(self, state: str) -> None:
        self._state = state
        masking = self._context.masking
        told = {"message": masking.text(self.text), "result": masking.value(self._result)}
        self._context.send_at("step", state=state, **self._identity, **told)


def _whole(name: str, value: object) -> int:
    """ValueError, where the driver's code said it, for what the agent could not store."""
    if not isinstance(value, SupportsIndex) or abs(number := operator.index(value)) > LARGEST:
        raise ValueError(f"progress: {name} is a whole number of at most {LARGEST}, not {_cut(value)}")
    return number


def _cut(value: object) -> str:
    return f"{type(value).__name__} {text_of(value)[:SHOWN]}"


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n") if "\n" in text else (text,):
        if len(line) <= LINE_LIMIT:
            yield line
        else:
            yield from (line[start : start + LINE_LIMIT] for start in range(0, len(line), LINE_LIMIT))


def _granted(grants: Mapping[str, Granted], kind: str, name: str) -> Granted:
    try:
        return grants[name]
    except KeyError:
        known = ", ".join(sorted(grants)) or "none"
        raise LookupError(f"{kind} {name!r} was not granted to this run (granted: {known})") from None
