"""The local executor: a pool of warm worker processes, one run each, every one with all its processes held."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import IO, Any

import structlog

from agent.core.ports import EndSink, EventSink, ReturnSink, forget_return
from agent.core.wire import Order, SettledOrder
from agent.workers import processes, strays
from agent.workers.member import Member
from agent.workers.rush import Rush
from agent.workers.scratch import remove_folder
from agent.workers.surroundings import Surroundings
from shared.clock import Clock
from shared.ids import NewId
from shared.models import Worker

BACK_OFF = 0.1
BACK_OFF_LONGEST = 30.0
"""Seconds before a lost worker is replaced, doubled with every one that was lost before it was ready."""
CLAIMED_PATIENCE = 2.0
"""Seconds that a worker which is to go stays for an order: a run may have been claimed for it while it was idle."""
SWEEP_GRACE = 2.0
"""Seconds between TERM and KILL for what an earlier agent left."""
OUTPUT_LIMIT = 1024 * 1024
"""Bytes of the file that workers crash into; begun anew at start when it is larger."""
PULSES = 6
"""How often in a lease it is looked whether the workers move."""
PULSE_AGAIN = 1.0
"""Seconds until that is looked at again where one does not."""

_log = structlog.get_logger(__name__)


class LocalExecutor:
    """Implements `Executor` with processes of this machine.

    `extra_paths` are folders that workers import drivers from beside the installed packages; `preload` entries
    (`module:function`) that they import ahead of their first order. A worker is replaced after `recycle_after` runs,
    its successor being ready before it goes; so is one that was stopped (SIGSTOP) for `lease` seconds. On macOS, which has no sub-reapers, orphans are found by their mark only.
    """

    def __init__(
        self,
        *,
        size: int,
        data_dir: Path,
        agent_id: str,
        clock: Clock,
        new_id: NewId,
        extra_paths: Sequence[Path] = (),
        preload: Sequence[str] = (),
        recycle_after: int = 1000,
        lease: float = 60.0,
        python: str = sys.executable,
    ) -> None:
        self._size = size
        self._data_dir = data_dir
        self._agent_id = agent_id
        self._clock = clock
        self._new_id = new_id
        self._settings = {"paths": [str(path) for path in extra_paths], "preload": list(preload)}
        self._recycle_after = recycle_after
        self._lease = lease
        self._python = python
        self._members: dict[str, Member] = {}
        self._listeners: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._outgoing: deque[Member] = deque()
        self._failures = 0
        self._stopping = False
        self._stop_asked = asyncio.Event()

    async def start(self, on_event: EventSink, on_end: EndSink, on_return: ReturnSink = forget_return) -> None:
        if not processes.adopt_orphans():
            _log.warning("this system has no sub-reapers: a program that detaches itself is found by its mark only")
        mark = strays.agent_mark(str(self._data_dir.resolve()))
        self._around = Surroundings(
            command=[self._python, "-I", "-m", processes.WORKER_MODULE],
            environment={**os.environ, processes.AGENT_MARK: mark, processes.RUN_MARK: processes.NO_RUN},
            settings=self._settings,
            clock=self._clock,
            on_event=on_event,
            on_end=on_end,
            on_return=on_return,
            output=_open_output(self._data_dir / "workers.log"),
        )
        await asyncio.gather(*(self._add() for _ in range(self._size)))
        self._spawn(self._feel_pulses())

    async def stop(self, grace: float) -> None:
        """Let running orders finish for `grace` seconds, then end them; no process is left.

        A run that is cut short so was not cancelled by anybody: it ends as lost, and its on-lost policy decides.
        """
        self._stopping = True
        self._stop_asked.set()
        await asyncio.gather(*self._tasks)
        for member in list(self._members.values()):
            member.recall()
            member.retire()
        await self._wait_for_runs(grace)
        for member in list(self._members.values()):
            member.cancel("stop")
        await asyncio.gather(*(self._see_off(member) for member in list(self._members.values())))
        self._around.output.close()

    def idle_workers(self) -> list[str]:
        if self._stopping:
            return []
        return [m.id for m in self._members.values() if m.state == "idle" and not m.retiring and m.pulse.beats]

    def places_ahead(self, depth: int) -> list[str]:
        if self._stopping:
            return []
        taken = [(member.id, member.waiting) for member in self._members.values() if member.may_wait]
        return [member_id for place in range(depth) for member_id, waiting in taken if waiting <= place]

    def workers(self) -> list[Worker]:
        return [self._describe(member) for member in self._members.values()]

    def execute(self, worker_id: str, order: Order) -> None:
        """RuntimeError unless that worker is idle: the caller asked `idle_workers` on this same loop."""
        self._member(worker_id).execute(order)

    def promise(self, worker_id: str, order: Order) -> None:
        """RuntimeError if nothing can wait there any more."""
        self._member(worker_id).promise(order)

    def lay(self, worker_id: str, order: Order) -> None:
        """RuntimeError if nothing can be laid there any more."""
        self._member(worker_id).lay(order)

    def decide_laid(self, *, begin: bool) -> None:
        members, rush = list(self._members.values()), Rush()
        for member in members:  # all begin before anything is noted of it
            member.tell_laid(rush, begin=begin)
        for member in members:
            member.decide_laid(begin=begin)

    def prepare(self, worker_id: str, order: Order, begun: Callable[[], None]) -> Callable[[], None]:
        """RuntimeError if that worker could not begin it at once."""
        return self._member(worker_id).prepared.prepare(order, begun)

    def decide_prepared(self, worker_id: str, *, begin: bool) -> None:
        if worker_id in self._members:
            self._members[worker_id].prepared.decide(begin=begin)

    def cancel(self, run_id: str, reason: str = "cancel") -> None:
        """`reason`: cancel or timeout. Nothing happens if the run is not here (any more)."""
        for member in self._members.values():
            if member.has(run_id):
                member.cancel("timeout" if reason == "timeout" else "cancel", run_id)

    def settled(self, run_id: str) -> None:
        for member in self._members.values():
            if member.has(run_id):
                member.say(SettledOrder(run_id=run_id))

    async def sweep(self, run_ids: Sequence[str]) -> None:
        ends = [strays.end_forsaken(str(self._data_dir.resolve()), SWEEP_GRACE)]
        if run_ids:
            ends.append(strays.end_run(run_ids, [], SWEEP_GRACE))
        await asyncio.gather(*ends)
        for run_id in run_ids:  # who would have removed it died before it could
            await remove_folder(str(self._data_dir / "scratch" / run_id))

    def on_idle(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def _member(self, worker_id: str) -> Member:
        member = self._members.get(worker_id)
        if member is None:
            raise RuntimeError(f"there is no worker {worker_id}")
        return member

    async def _add(self) -> None:
        member = Member(self._new_id(), self._around, self._changed)
        self._members[member.id] = member
        try:
            await member.start()
        except OSError as error:  # no memory, no processes left: it may pass
            del self._members[member.id]
            self._failures += 1
            _log.exception("a worker could not be started", error=str(error))
            self._spawn(self._add_after(self._delay()))

    def _changed(self, member: Member) -> None:
        """A member's state moved."""
        if member.gone.is_set():
            self._replace(member)
        elif member.state == "idle":
            self._freed(member)
        elif member.state == "busy" and member.runs_done >= self._recycle_after:
            self._renew(member)

    def _freed(self, member: Member) -> None:
        if self._stopping:
            return
        self._failures = 0
        if not member.runs_done and self._outgoing:
            self._outgoing.popleft().retire(CLAIMED_PATIENCE)
        if member.runs_done >= self._recycle_after:
            self._renew(member)
        self._tell_idle()

    def _tell_idle(self) -> None:
        for listener in self._listeners:
            listener()

    def _renew(self, member: Member) -> None:
        """It goes when its successor is ready, and works until then."""
        if not self._stopping and not member.relieved:
            member.relieved = True
            self._outgoing.append(member)
            self._spawn(self._add())

    def _replace(self, member: Member) -> None:
        if self._members.pop(member.id, None) is None or self._stopping or member.retiring:
            return
        if member in self._outgoing:
            self._outgoing.remove(member)
            return
        self._failures = 0 if member.was_ready else self._failures + 1
        delay = self._delay()
        _log.warning("a worker was lost", worker=member.id, pid=member.pid, next_in_seconds=delay)
        self._spawn(self._add_after(delay))

    def _delay(self) -> float:
        return min(BACK_OFF * 2.0 ** min(self._failures, 20), BACK_OFF_LONGEST)

    async def _add_after(self, delay: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop_asked.wait(), delay)
        if not self._stopping:
            await self._add()

    async def _feel_pulses(self) -> None:
        while not self._stopping:
            members, rest = list(self._members.values()), self._lease / PULSES
            if any([await member.feel_pulse(self._lease) for member in members]):
                self._tell_idle()
            if not all(member.pulse.beats for member in members):
                rest = min(rest, PULSE_AGAIN)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_asked.wait(), rest)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait_for_runs(self, grace: float) -> None:
        held = [member.assignment for member in self._members.values() if member.assignment is not None]
        waits = [asyncio.create_task(one.done.wait()) for one in held]
        if waits:
            _, late = await asyncio.wait(waits, timeout=grace)
            for task in late:
                task.cancel()

    async def _see_off(self, member: Member) -> None:
        if member.assignment is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(member.gone.wait(), 2.0)
            if not member.gone.is_set():
                member.kill()
        await member.join()

    def _describe(self, member: Member) -> Worker:
        order = member.assignment.order if member.assignment else None
        return Worker(
            id=member.id,
            agent_id=self._agent_id,
            pid=member.pid,
            state=member.state,
            run_id=order.run_id if order else None,
            job_name=order.job_name if order else None,
            account_id=order.account_id if order else None,
            started_at=member.started_at,
            heartbeat_at=self._clock.now(),
            runs_done=member.runs_done,
        )


def _open_output(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "wb" if path.exists() and path.stat().st_size > OUTPUT_LIMIT else "ab"
    return path.open(mode)
