"""A transaction that is written before its moment, all but its commit.

Nobody reads anything of it, and nobody writes beside it, until it is committed or dropped: what it was decided from is so
until its commit. Should the agent die meanwhile, nothing of it has ever been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

import sqlalchemy as sa

from shared.models import Event

T = TypeVar("T")


class Withheld(Generic[T]):
    """Implements `agent.core.ports.fires.Withheld`. `heard` is told, once and before all others, what became of it."""

    def __init__(
        self,
        plan: Callable[[], Callable[[sa.Connection], T]],
        heard: Callable[[bool], None],
        decided: Callable[[Withheld[T]], None],
    ) -> None:
        """`plan` is asked on the loop for what is to be written, when it is its turn; `decided` hears what is wanted."""
        loop = asyncio.get_running_loop()
        self.plan = plan
        self.heard = heard
        self.phase: Literal["waiting", "writing", "written", "ending"] = "waiting"
        self.keep: bool | None = None
        """Whether it is to be committed; None: that is not said yet."""
        self.news: list[Event] = []
        self.written: asyncio.Future[T | None] = loop.create_future()
        self.over: asyncio.Future[bool] = loop.create_future()
        self._decided = decided

    def commit(self) -> None:
        if self.phase == "written":
            self._decide(keep=True)

    def drop(self) -> None:
        self._decide(keep=False)

    def has_written(self, result: T, news: Sequence[Event]) -> None:
        self.phase, self.news = "written", list(news)
        if self.keep is None:
            _resolve(self.written, result)

    def end(self, *, kept: bool) -> None:
        self.phase = "ending"
        _resolve(self.written, None)
        _resolve(self.over, kept)

    def _decide(self, *, keep: bool) -> None:
        if self.keep is None and not self.over.done():
            self.keep = keep
            self._decided(self)


def _resolve(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)
