"""Orders that wait in a worker behind its run, and for how long they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.workers.assignment import Assignment

PATIENCE = 0.1
"""Seconds that they wait behind one run before they are called back."""
READING = 0.005
"""Seconds that what a worker has said is given to be read before it counts as silent."""


class Waiting:
    """In their order. `recall` is called while some wait behind a run that has taken too long."""

    def __init__(self, recall: Callable[[], None]) -> None:
        self._recall = recall
        self._held: dict[str, Assignment] = {}
        self._laid: dict[str, Assignment] = {}
        """Those whose moment has not come; they do not wait yet."""
        self._recalled: set[str] = set()
        self._since = 0.0
        """When the run before them got the worker, by the loop's clock."""
        self._look: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._held)

    @property
    def laid(self) -> int:
        """How many orders are laid."""
        return len(self._laid)

    @property
    def run_ids(self) -> list[str]:
        return list(self._held)

    @property
    def patience_is_over(self) -> bool:
        return asyncio.get_running_loop().time() - self._since >= PATIENCE

    def begin_behind(self) -> None:
        """Another run has the worker from now on."""
        self._since = asyncio.get_running_loop().time()

    def call_back(self) -> list[str]:
        """Those that are called back from now on; said once, it holds for each."""
        called = [run_id for run_id in (*self._held, *self._laid) if run_id not in self._recalled]
        self._recalled.update(called)
        return called

    def add(self, held: Assignment) -> None:
        self._held[held.order.run_id] = held
        self._look_later()

    def lay(self, held: Assignment) -> None:
        self._laid[held.order.run_id] = held

    def take_laid(self) -> list[Assignment]:
        """All that were laid, in their order: they are no more."""
        laid, self._laid = list(self._laid.values()), {}
        self._recalled.difference_update(held.order.run_id for held in laid)
        return laid

    def take_all(self) -> list[Assignment]:
        """Nothing of these has begun."""
        every = [*self._held.values(), *self.take_laid()]
        self._recalled.difference_update(self._held)
        self._held = {}
        return every

    def get(self, run_id: str) -> Assignment | None:
        return self._held.get(run_id)

    def take(self, run_id: str) -> Assignment | None:
        self._recalled.discard(run_id)
        return self._held.pop(run_id, None) or self._laid.pop(run_id, None)

    def take_first(self) -> Assignment:
        run_id = next(iter(self._held))
        self._recalled.discard(run_id)
        return self._held.pop(run_id)

    def _look_later(self) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(PATIENCE, self._look_now)

    def _look_now(self) -> None:
        self._look = None
        if not self._held:
            return
        if self.patience_is_over:
            # A loop that was busy itself has not read yet what the worker said meanwhile.
            self._look = asyncio.get_running_loop().call_later(min(READING, PATIENCE), self._look_again)
        else:
            self._look_later()

    def _look_again(self) -> None:
        self._look = None
        if not self._held:
            return
        if self.patience_is_over:
            self._recall()
        self._look_later()
