"""A log pane alone, on a log of any length that is made up line by line as it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from textual.app import App, ComposeResult

from console.theme import look_of
from console.widgets.log_pane import LogPane
from shared.errors import Unavailable
from shared.models import LogLine, LogPage
from tests.harness.operator import Operator

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TextOf = Callable[[int], str]


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
        self.is_down = False
        self.gate = asyncio.Event()
        self.gate.set()

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
        self.pane = LogPane(look_of("dark"), log.load)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.view.focus()


@asynccontextmanager
async def reading(log: MadeUpLog, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Operator, LogPane]]:
    app = LogApp(log)
    async with app.run_test(size=size) as pilot:
        yield Operator(app, pilot), app.pane
