"""Tells the executor of every cancel that was committed, whoever asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.hearing import asks_to_cancel
from agent.core.ports import Executor
from shared.models import Event


class Canceller:
    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if asks_to_cancel(event):
                self._executor.cancel(event.subject_id)
