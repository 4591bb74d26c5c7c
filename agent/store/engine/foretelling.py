"""Results that are told while their commit is on its way: whoever makes ready meanwhile has the processor to itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from agent.store.engine.group import Done, Foresight, Waiting
from agent.store.engine.guarded import guarded


class Foretelling:
    """Of one group at a time."""

    def __init__(self) -> None:
        self._told: list[Waiting] = []
        self._on_their_way: list[Foresight] = []
        """The writer's thread alone looks at it."""

    def foretell(self, loop: asyncio.AbstractEventLoop, group: Sequence[Waiting], done: Sequence[Done]) -> None:
        """On the writer's thread, last of all before the commit."""
        self._on_their_way = []
        for waiting in group:
            if waiting.foresight is None:
                continue
            result = next((each.result for each in done if each.future is waiting.future), None)
            if result:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody makes ready any more
                    loop.call_soon_threadsafe(self._foretell, waiting, result)
                    self._on_their_way.append(waiting.foresight)

    def confirm(self) -> None:
        """On the writer's thread, right after the commit: until the loop hears of it some time goes by."""
        for foresight in self._on_their_way:
            guarded(foresight.confirm)

    def decide(self, done: Sequence[Done]) -> None:
        """The commit is over, however it went."""
        told, self._told = self._told, []
        for waiting in told:
            kept = any(each.future is waiting.future and each.error is None for each in done)
            if waiting.foresight is not None:
                guarded(partial(waiting.foresight.decide, kept=kept))

    def _foretell(self, waiting: Waiting, result: Any) -> None:
        self._told.append(waiting)
        if waiting.foresight is not None:
            guarded(partial(waiting.foresight.foresee, result))
