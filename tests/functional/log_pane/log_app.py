"""A log pane alone, on a log of any length that is made up line by line as it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from textual.app import App, ComposeResult

from console.theme import look_of
from console.widgets.log_pane import LogPane, Wanted
from shared.errors import Unavailable
from shared.models import LogHits, LogLine, LogPage
from tests.harness.operator import Operator

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TextOf = Callable[[int], str]

PIECE = 5_000
"""Lines looked through for one answer."""


class MadeUpLog:
    """Answers as the route does, page by page, and counts what it gave."""

    def __init__(
        self,
        total: int,
        *,
        errors: frozenset[int] = frozenset(),
        complete: bool = True,
        text_of: TextOf = "line {}".format,
    ) -> None:
        self.total = total
        self.errors = errors
        self.complete = complete
        self.text_of = text_of
        self.requests: list[tuple[int, int]] = []
        self.searches: list[int] = []
        self.is_down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._tickets = asyncio.Semaphore(0)

    async def load(self, start: int, limit: int) -> LogPage:
        self.requests.append((start, limit))
        await self.gate.wait()
        if self.is_down:
            raise Unavailable("the line is cut")
        first = max(1, self.total + start + 1) if start < 0 else start
        numbers = range(first, min(first + limit, self.total + 1))
        return LogPage(
            lines=[self._line(number) for number in numbers],
            total=self.total,
            first_error=min((number for number in self.errors if number <= self.total), default=None),
            complete=self.complete,
        )

    async def search(self, wanted: Wanted, start: int, backwards: bool) -> LogHits:
        self.searches.append(start)
        await self._admission()
        if self.is_down:
            raise Unavailable("the line is cut")
        step, start = (-1, min(start, self.total)) if backwards else (1, start)
        numbers = range(start, max(0, start - PIECE) if backwards else min(self.total + 1, start + PIECE), step)
        for number in numbers:
            if self._matches(number, wanted):
                return LogHits(hits=[self._line(number)], next=number + step, scanned=1, total=self.total)
        following = numbers.stop if 1 <= numbers.stop <= self.total else None
        return LogHits(hits=[], next=following, scanned=len(numbers), total=self.total)

    def let_through(self, searches: int) -> None:
        """So many answers of searches, although the gate is closed."""
        for _ in range(searches):
            self._tickets.release()

    async def _admission(self) -> None:
        if self.gate.is_set():
            return
        opened, ticket = (asyncio.ensure_future(each) for each in (self.gate.wait(), self._tickets.acquire()))
        try:
            await asyncio.wait({opened, ticket}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
            ticket.cancel()

    def _matches(self, number: int, wanted: Wanted) -> bool:
        line = self._line(number)
        return wanted.text.lower() in line.text.lower() and wanted.level in {None, line.level}

    @property
    def given(self) -> int:
        """Lines that were asked for in all."""
        return sum(limit for _, limit in self.requests)

    def _line(self, number: int) -> LogLine:
        level = "error" if number in self.errors else "info"
        return LogLine(number=number, at=START + timedelta(seconds=number), level=level, text=self.text_of(number))


class LogApp(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, log: MadeUpLog) -> None:
        super().__init__()
        self.pane = LogPane(look_of("dark"), log.load, log.search)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.view.focus()


@asynccontextmanager
async def reading(log: MadeUpLog, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Operator, LogPane]]:
    app = LogApp(log)
    async with app.run_test(size=size) as pilot:
        yield Operator(app, pilot), app.pane
