"""Orders of runs whose moment comes shortly, laid in the workers that will have them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from agent.core.ports import Executor
from agent.core.records import ClaimedRun, Fence
from agent.core.running.ordering import Ordering
from shared.clock import Clock

_log = structlog.get_logger()
_TURN = 25
"""So many are laid before others have the loop."""


class Laying:
    def __init__(
        self,
        executor: Executor,
        clock: Clock,
        ordering: Ordering,
        watch: Callable[[ClaimedRun, frozenset[str]], None],
        forget: Callable[[Fence], None],
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._ordering = ordering
        self._watch = watch
        self._forget = forget
        self._open = False
        """What is laid is not decided yet."""
        self._laid: list[Fence] = []
        self._left: list[Fence] = []
        """What was promised and could not be laid."""

    async def lay(self, promised: Sequence[ClaimedRun], until: datetime) -> None:
        """What is not laid by then, or cannot be, is left: whatever stands against it is told when it is claimed again."""
        self._open, self._left = True, []
        for number, claimed in enumerate(promised, 1):
            if not (self._clock.now() < until and await self._lay(claimed)):
                self._left.append(claimed.fence)
            if not self._open:
                return
            if number % _TURN == 0:
                await asyncio.sleep(0)

    def decide(self, *, begin: bool) -> list[Fence]:
        """What was laid begins, or never was. Returns the promises that nobody can keep."""
        if self._open:
            self._executor.decide_laid(begin=begin)
        self._open, laid, left = False, self._laid, self._left
        self._laid, self._left = [], []
        if begin:
            return left
        for fence in laid:
            self._forget(fence)
        return []

    async def _lay(self, claimed: ClaimedRun) -> bool:
        try:
            order, mask = await self._ordering.order(claimed)
            if not self._open:
                return False
            self._executor.lay(claimed.fence.worker_id, order)
        except Exception as error:
            _log.info("not_laid", run_id=claimed.run.id, error=str(error))
            return False
        self._watch(claimed, mask)
        self._laid.append(claimed.fence)
        return True
