"""Where runs are executed, and where their logs lie."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from agent.core.records import LogSearch
from agent.core.wire import Ended, Order, RunMessage, WireLine
from shared.models import LogHits, LogPage, Worker

EventSink = Callable[[str, RunMessage], Awaitable[None]]
"""(worker id, event): what a worker says about its run. Awaiting it is the back pressure on that worker."""

EndSink = Callable[[str, Ended | None, RunMessage], Awaitable[None]]
"""(worker id, the worker's last word or None if it was lost, the run it had): called once per executed order, and
only when every process that the run ever started is proven gone."""


ReturnSink = Callable[[str, RunMessage], None]
"""(worker id, the run): an order that waited in a worker was given back; nothing of it has begun, or will."""


def forget_return(_worker_id: str, _run: RunMessage) -> None:
    """The sink of who promises nothing."""


class Executor(Protocol):
    """Executes orders in worker processes."""

    async def start(self, on_event: EventSink, on_end: EndSink, on_return: ReturnSink = forget_return) -> None: ...

    async def stop(self, grace: float) -> None:
        """Let running orders finish for `grace` seconds, then cancel them; no process is left."""

    def idle_workers(self) -> list[str]:
        """Ids of workers that can take an order now."""

    def places_ahead(self, depth: int) -> list[str]:
        """Where orders may wait behind what a worker has or is given now, at most `depth` in one: a worker's id for
        each, those that come up soonest first. What waits longer than was thought is given back."""

    def workers(self) -> list[Worker]: ...

    def execute(self, worker_id: str, order: Order) -> None:
        """Hand the order to that idle worker; what follows comes through the sinks."""

    def promise(self, worker_id: str, order: Order) -> None:
        """Hand over an order that waits behind what the worker has."""

    def lay(self, worker_id: str, order: Order) -> None:
        """Hand over an order whose moment has not come: nothing of it begins before `decide_laid`. What its worker
        cannot keep is given back."""

    def decide_laid(self, *, begin: bool) -> None:
        """All orders that are laid begin now, each behind what its worker has; or they never were, and nobody hears
        any more of them."""

    def prepare(self, worker_id: str, order: Order, begun: Callable[[], None]) -> Callable[[], None]:
        """Hand an order to that idle worker while its claim is being committed: nothing of it begins before
        `decide_prepared`, or before what is returned here is called, as it may be in any thread and at most once.
        `begun` is called, on the loop, when it is as if it had been handed over now, and before anything is heard of it."""

    def decide_prepared(self, worker_id: str, *, begin: bool) -> None:
        """What was prepared there begins, if it has not; or, if it has not, it never was."""

    def cancel(self, run_id: str, reason: str = "cancel") -> None:
        """Ask, then TERM, then after the order's kill_grace KILL everything that the run ever started."""

    def settled(self, run_id: str) -> None:
        """What the run has said is stored: its worker goes on, if it waits for that."""

    async def sweep(self, run_ids: Sequence[str]) -> None:
        """End what processes an earlier agent's workers left of these runs (found by their mark); returns when none is left."""

    def on_idle(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a worker becomes idle."""


class LogStore(Protocol):
    """Logs of runs: segment files with an index, never rows."""

    async def append(self, run_id: str, lines: Sequence[WireLine], mask: Sequence[str]) -> int:
        """Write with every string of `mask` replaced by `•••`; returns the lines stored so far."""

    async def read(self, run_id: str, *, start: int = 1, limit: int = 200) -> LogPage:
        """Lines from number `start`; a negative start counts from the end."""

    async def search(self, run_id: str, wanted: LogSearch, *, seconds: float = 0.5) -> LogHits:
        """Works for about `seconds` and answers with what it found and where to go on; so whoever searches a long log
        can show how far it is, and stop. Each answer is further than the one before."""

    def follow(self, run_id: str, start: int) -> AsyncIterator[LogPage]: ...

    async def seal(self, *run_ids: str) -> None:
        """The runs are over: flush and close."""

    async def delete(self, run_ids: Sequence[str]) -> None: ...
