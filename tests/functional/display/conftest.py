"""The table app on a terminal of 80×24."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.functional.display import table_app
from tests.harness.pty_app import PtyApp, cells_of, replay, start_warm

KEYS = {
    2: "\x1bOQ",
    3: "\x1bOR",
    4: "\x1bOS",
    5: "\x1b[15~",
    6: "\x1b[17~",
    7: "\x1b[18~",
    8: "\x1b[19~",
    9: "\x1b[20~",
}


class Console:
    """The app under test, and what a full repaint of it would show."""

    def __init__(self, app: PtyApp, dump: Path) -> None:
        self.app = app
        self._dump = dump
        self._dumps = 0

    def press(self, function_key: int) -> None:
        self.app.send(KEYS[function_key])

    def assert_screen_is_full_repaint(self) -> None:
        """What came over the line, replayed, equals what Textual would draw, in every cell, once both have settled."""
        for _ in range(20):
            wanted = self._full_repaint()
            self.app.read_until_quiet(0.15)
            if wanted == cells_of(self.app.screen):
                return
        differing = [y for y, row in enumerate(cells_of(self.app.screen)) if row != wanted[y]]
        raise AssertionError(f"rows {differing} differ from a full repaint:\n{self.app.text}")

    def _full_repaint(self) -> list[list[tuple[str, ...]]]:
        self._dumps += 1
        self.press(8)
        self.app.read_until(lambda: self._read_dump()[0] == self._dumps)
        return cells_of(
            replay(b"\x1b[?7l" + self._read_dump()[1].encode(), self.app.screen.columns, self.app.screen.lines)
        )

    def _read_dump(self) -> tuple[int, str]:
        if not self._dump.exists():
            return 0, ""
        number, text = self._dump.read_text(encoding="utf-8").split("\n", 1)
        return int(number), text


Open = Callable[..., Console]


@pytest.fixture
def open_console(tmp_path: Path) -> Iterator[Open]:
    """Starts the table app, `env` added to its environment; it is on screen and quiet when returned."""
    with ExitStack() as stack:

        def open_it(size: tuple[int, int] = (80, 24), answer_sync: bool = True, **env: str) -> Console:
            dump = tmp_path / "dump"
            app = stack.enter_context(
                start_warm((), size, {"DUMP": str(dump)} | env, module=table_app.__name__, answer_sync=answer_sync)
            )
            app.read_until(lambda: "ready" in app.rows[-1] and "running" in app.text)
            app.read_until_quiet()
            return Console(app, dump)

        yield open_it
