"""A worker's keeper as the agent sees it: what it is asked, what it says, and what the agent does itself where it fails."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.core.threads import apart
from agent.core.wire import Order
from agent.workers import limits, processes, strays
from agent.workers.link import Link
from agent.workers.patience import KEEPER_PATIENCE


@dataclass(frozen=True, slots=True)
class Ward:
    """The worker that is kept."""

    hush: Callable[[], None]
    """It says no more than it has said: nothing is left that could."""
    exceeded: Callable[[dict[str, Any]], None]
    forsaken: Callable[[], None]
    """Its keeper is not trusted any more: from now on the agent itself ends what is left."""
    left: Callable[[], tuple[Sequence[str], processes.Process | None]]
    """What there is to end without a keeper: runs, and the worker's own process."""


class KeeperLink:
    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self.gone = asyncio.Event()
        """Set when no process is left, the keeper's own included."""
        self.killed = 0
        """How many processes it had to kill, told at its end."""
        self.said: list[str] = []
        """The last words of the worker."""
        self.process: processes.Process | None = None
        self._unwatched = asyncio.Event()
        self._straying: asyncio.Task[None] | None = None

    async def open(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process = process
        self.process = processes.find(process.pid)
        self._control = await Link.open(control)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_forsaken(self) -> bool:
        return self._straying is not None

    def watch(self, order: Order, worker: int) -> None:
        """Before the worker, which is idle now, gets the order."""
        self._control.write(limits.begin_watch(order, worker))

    async def end_watch(self, order: Order, worker: int) -> bool:
        """Until it has done and said all that it has to about the run, or is gone; False: it does not answer."""
        self._unwatched.clear()
        self._control.write(limits.end_watch(order, worker))
        answers = [asyncio.ensure_future(event.wait()) for event in (self._unwatched, self.gone)]
        done, late = await asyncio.wait(answers, timeout=KEEPER_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for each in late:
            each.cancel()
        return bool(done)

    def end(self) -> None:
        """TERM to everything that the worker is and started."""
        if not self.gone.is_set():
            self._control.write(b"t\n")

    def kill_children(self) -> None:
        """KILL to what is below the worker."""
        self._control.write(b"c\n")

    def kill(self) -> None:
        """KILL to everything that the worker is and started."""
        self._control.write(b"k\n")
        asyncio.get_running_loop().call_later(KEEPER_PATIENCE, self.distrust)

    def distrust(self) -> None:
        """It is dead or does not answer: the agent itself ends what is left."""
        if not self.gone.is_set() and self._straying is None:
            self._straying = asyncio.create_task(self._end_strays())
            self._ward.forsaken()

    async def listen(self) -> None:
        """Everything that the keeper says, until nothing is left of it and of what it kept."""
        clear = False
        async for line in self._control:
            word = json.loads(line)
            if word["op"] == "lost":
                self._ward.hush()
            elif word["op"] == "exceeded":
                self._ward.exceeded(word)
            elif word["op"] == "unwatched":
                self._unwatched.set()
            elif word["op"] == "clear":
                clear, self.killed, self.said = True, word["killed"], word["said"]
        if not clear:
            self.distrust()
        if self._straying is not None:
            await self._straying
        self._control.close()
        self._ward.hush()
        await apart(self._process.wait)
        self.gone.set()

    async def _end_strays(self) -> None:
        runs, worker = self._ward.left()
        known = [process for process in (self.process, worker) if process is not None]
        await strays.end_run(runs, known, 0.0)
        self._control.close()
