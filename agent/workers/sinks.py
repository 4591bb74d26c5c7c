"""Where a worker's words go: to the sinks of the pool, whatever those make of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog

from agent.core.wire import Logged, RunMessage, WireLine
from agent.workers.assignment import Assignment
from agent.workers.surroundings import Surroundings

_log = structlog.get_logger(__name__)


class Sinks:
    """Of one worker. What a sink raises is told and stops neither the worker nor its other runs."""

    def __init__(self, worker_id: str, around: Surroundings) -> None:
        self._worker_id = worker_id
        self._around = around
        self._finishing: set[asyncio.Future[None]] = set()
        """Ends that are not taken yet."""

    async def tell(self, event: RunMessage) -> None:
        try:
            await self._around.on_event(self._worker_id, event)
        except Exception:
            _log.exception("an event of a run was not taken", run=event.run_id)

    async def tell_in_log(self, held: Assignment, text: str) -> None:
        line = WireLine(at=self._around.clock.now(), level="warning", text=text)
        await self.tell(Logged(**held.message.model_dump(), lines=[line]))

    async def tell_killed(self, held: Assignment, processes: int, said: Sequence[str]) -> None:
        """`said`: what was written last, and that nobody lived to tell."""
        if said:
            now = self._around.clock.now()
            lines = [WireLine(at=now, stream="stderr", text=text) for text in said]
            await self.tell(Logged(**held.message.model_dump(), lines=lines))
        if processes:
            text = f"ended by KILL: {processes} process{'es' if processes > 1 else ''} of this run"
            await self.tell_in_log(held, text)

    def returned(self, held: Assignment) -> None:
        """Nothing of it has begun, or will."""
        self._around.on_return(self._worker_id, held.message)
        held.done.set()

    def finish(self, held: Assignment) -> None:
        """Have the end taken; the worker does not wait for that."""
        word = held.last_word(self._around.clock)
        taken = asyncio.ensure_future(self._around.on_end(self._worker_id, word, held.message))
        self._finishing.add(taken)
        taken.add_done_callback(partial(self._finished, held))

    async def all_taken(self) -> None:
        await asyncio.gather(*self._finishing)

    def _finished(self, held: Assignment, taken: asyncio.Future[None]) -> None:
        self._finishing.discard(taken)
        if not taken.cancelled() and (error := taken.exception()) is not None:
            _log.error("the end of a run was not taken", run=held.order.run_id, exc_info=error)
        held.done.set()
