"""A worker's way in: who reads what the agent says.

To hand an order from one thread to another costs more than all else around a short run. So the thread that executes
reads by itself while it has nothing to execute. Beside a run that lasts, a second thread reads in its place.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

LOOK = 0.01
"""Seconds between two looks at whether a run lasts: it does when two of them meet it."""
HEED = 0.005
"""Seconds at most for which short runs follow each other and nobody reads what is said beside them."""
LOOKS = 100
"""So many looks without a run in hand, and nobody looks any more until the next one begins."""
CHUNK = 64 * 1024

Work = TypeVar("Work")


class Hearing(Generic[Work]):
    """Each line of the link is given to `obey` by whoever reads it; what it says is to be executed waits here."""

    def __init__(
        self,
        link: socket.socket,
        *,
        obey: Callable[[bytes], None],
        lasts: Callable[[], None],
        lost: Callable[[], NoReturn],
    ) -> None:
        """`lasts`: said in the second thread of what two looks have met. `lost`: the other side is gone."""
        self._link = link
        self._obey = obey
        self._lasts = lasts
        self._lost = lost
        self._turn = threading.Lock()
        """To read. Who waits for something to execute decides with the turn in hand whether there is something: whoever
        else has the turn may be about to put it there."""
        self._waiting: deque[Work] = deque()
        self._rest: list[bytes] = []
        self._read_at = 0.0
        self._begun = 0
        self._at_work = False
        self._looking = threading.Event()
        threading.Thread(target=self._stand_in, name="jobdeck-orders", daemon=True).start()

    def put(self, work: Work) -> None:
        """It is executed after all that waits; for `obey`."""
        self._waiting.append(work)

    def next(self) -> Work:
        """What is to be executed next, by the thread that asks. What was said some time before it begins is obeyed."""
        self._at_work = False
        late = self._waiting and time.monotonic() - self._read_at >= HEED
        if late and self._turn.acquire(blocking=False):
            try:
                self._read(wait=False)
            finally:
                self._turn.release()
        while not self._waiting:
            with self._turn:
                if not self._waiting:
                    self._read()
        self._begun += 1
        self._at_work = True
        if not self._looking.is_set():
            self._looking.set()
        return self._waiting.popleft()

    def _stand_in(self) -> None:
        while self._looking.wait():
            self._look_at_runs()
            self._looking.clear()
            if self._at_work:  # it began after the last look, and before nobody looked any more
                self._looking.set()

    def _look_at_runs(self) -> None:
        met = idle = 0
        while idle < LOOKS:
            time.sleep(LOOK)
            if not self._at_work:
                idle += 1
            elif self._begun != met:
                met, idle = self._begun, 0
            else:
                self._lasts()
                if self._turn.acquire(blocking=False):
                    self._read_beside()

    def _read_beside(self) -> None:
        """Until the run is over and there is something to execute: that is when the other thread asks for the turn."""
        try:
            while self._at_work or not self._waiting:
                self._read()
        finally:
            self._turn.release()

    def _read(self, *, wait: bool = True) -> None:
        try:
            data = self._link.recv(CHUNK, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        finally:
            self._read_at = time.monotonic()
        if not data:
            self._lost()
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._rest, lines[0]])
            self._rest = []
        if rest:
            self._rest.append(rest)
        for line in lines:
            self._obey(line)
