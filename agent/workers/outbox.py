"""A worker's way out: events are gathered and sent together; log lines press back on whoever writes them.

The driver's thread and its helpers put in; a flusher thread sends a moment later; who fills it beyond its bounds sends
by itself, and so waits for the agent. Order is kept; of progress and checkpoints only the last counts.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from agent.workers.plain import encode

GATHER = 0.03
"""Seconds that an event may wait for others."""
PROGRESS_EVERY = 0.2
"""Seconds between two progress events of a run."""
FULL_LINES = 1000
FULL_BYTES = 256 * 1024
"""Of log text: what a batch holds at most, but for its last line."""

Event = dict[str, Any]


class Outbox:
    def __init__(self, link: socket.socket, monotonic: Callable[[], float]) -> None:
        self._link = link
        self._monotonic = monotonic
        self._sending = threading.RLock()
        self._is_sending = False
        self._changing = threading.RLock()
        """A driver's handler of signals may say something while its thread does."""
        self._filled = threading.Event()
        self._events: list[Event] = []
        self._latest: dict[str, Event] = {}
        self._lines = 0
        self._bytes = 0
        self._progress_sent = 0.0
        self._log: list[Event] | None = None
        """Where the next line of the run `_logged` goes, if nothing else comes before it."""
        self._logged: Event = {}
        threading.Thread(target=self._flush_always, name="jobdeck-outbox", daemon=True).start()

    def put(self, event: Event) -> None:
        """An event that must arrive, in its order."""
        self.hold(event)
        self.send_soon()

    def hold(self, event: Event) -> None:
        """The same, but it waits for what comes after it, or for `send_soon`."""
        with self._changing:
            self._events.append(event)
            self._log = None

    def send_soon(self) -> None:
        """What there is, a moment later."""
        if not self._filled.is_set():
            self._filled.set()

    def withdraw(self, event: Event) -> bool:
        """Take back an event that is all there is to send; False if it was sent, or something came after it."""
        with self._changing:
            alone = self._events == [event] and not self._latest
            if alone:
                self._events = []
            return alone

    def put_latest(self, event: Event) -> None:
        """An event that replaces the one of its kind that was not sent yet."""
        with self._changing:
            self._latest[event["op"]] = event
        self.send_soon()

    def put_line(self, run: Event, line: Event) -> None:
        """A log line of `run` (its id and attempt). Blocks while the agent does not keep up."""
        with self._changing:
            if self._log is None or run != self._logged:
                self._log, self._logged = [], run
                self._events.append({"op": "log", **run, "lines": self._log})
            self._log.append(line)
            self._lines += 1
            self._bytes += len(line["text"])
            full = self._lines >= FULL_LINES or self._bytes >= FULL_BYTES
        if full:
            self.flush(progress=False)
        else:
            self.send_soon()

    def flush(self, *, progress: bool = True) -> None:
        """Send what there is. Nothing is raised if the agent is gone: the reader of orders notices that and ends all."""
        with self._sending:
            if self._is_sending:
                return  # a driver's handler of signals says something in the middle of it: that goes with the next
            self._is_sending = True
            try:
                self._send(progress=progress)
            finally:
                self._is_sending = False

    def _send(self, *, progress: bool) -> None:
        if parts := [encode(event) for event in self._take(progress=progress)]:
            with contextlib.suppress(OSError):
                self._link.sendall(b"".join(parts))

    def _take(self, *, progress: bool) -> list[Event]:
        with self._changing:
            events, self._events = self._events, []
            self._log, self._lines, self._bytes = None, 0, 0
            now = self._monotonic()
            if progress or now - self._progress_sent >= PROGRESS_EVERY:
                self._progress_sent = now
                late = list(self._latest.values())
                self._latest.clear()
            else:
                late = [self._latest.pop(op) for op in list(self._latest) if op != "progress"]
        # what ends a run stays last
        last = len(events)
        while last and events[last - 1]["op"] in ("ended", "cleared"):
            last -= 1
        return events[:last] + late + events[last:]

    def _flush_always(self) -> None:
        while True:
            self._filled.wait()
            time.sleep(GATHER)
            self._filled.clear()
            self.flush(progress=False)
            if self._latest:
                time.sleep(PROGRESS_EVERY)
                self._filled.set()
