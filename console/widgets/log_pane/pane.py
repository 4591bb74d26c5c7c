"""The log of one run: loads what is looked at, follows what comes, finds errors and texts."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.worker import get_current_worker

from console.render.amounts import count
from console.render.look import Look
from console.widgets.line import Line, safe_text
from console.widgets.log_pane.find_box import FindBox
from console.widgets.log_pane.lines import Lines
from console.widgets.log_pane.search import Load, Search, Wanted, find, not_found
from console.widgets.log_pane.view import LogView
from shared.errors import JobdeckError

_TAIL = 200
_HINTS = (("e", "error"), ("f", "follow"), ("/", "find"), ("T", "times"), ("W", "wrap"))


class LogPane(Vertical):
    """Opens at the first error, else at the end, following. Nothing is polled: `grew` says that there is more.

    Keys: `f` follow, `e`/`E` next/previous error, `/` find, `n`/`N` next/previous find, `T` times, `W` wrap,
    `g`/`G` first/last line.
    """

    DEFAULT_CSS = """
    LogPane { height: 1fr; width: 1fr; }
    LogPane > Line { background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", show=False),
        Binding("e", "error(1)", "Next error", show=False),
        Binding("E", "error(-1)", "Previous error", show=False),
        Binding("slash", "find", "Find", show=False),
        Binding("n", "again(1)", "Next find", show=False),
        Binding("N", "again(-1)", "Previous find", show=False),
        Binding("T", "times", "Times", show=False),
        Binding("W", "wrap", "Wrap", show=False),
    ]

    def __init__(self, look: Look, load: Load, search: Search) -> None:
        super().__init__()
        self.lines = Lines()
        self.view = LogView(self.lines, look)
        self.is_following = False
        self._look = look
        self._load = load
        self._search = search
        self._opened = asyncio.Event()
        self._is_over = False
        self._trouble = ""
        self._seeking = ""
        self._said = ""
        self._needle = ""
        self._head = Line()
        self._box = FindBox()

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.view
        yield self._box

    def on_mount(self) -> None:
        self.view.empty = "loading…"
        self._compose_head()
        self._start_open()

    # What the screen tells.

    async def opened(self) -> None:
        """Wait until the log stands where it opens."""
        await self._opened.wait()

    def grew(self, total: int) -> None:
        """The log has that many lines now."""
        if not self._opened.is_set():
            self._start_open()
        elif self.lines.grow(total) or self._trouble:
            self._see()

    def ended(self) -> None:
        """The run is over: look at the end once more, nothing will say that it grew. The agent may have yet to seal it."""
        self._is_over = True
        if self._opened.is_set() and not self.lines.is_complete:
            self.run_worker(self._look_at_end(), group="log-end", exclusive=True)

    def retry(self) -> None:
        """The agent can be reached again."""
        if self._trouble:
            self.grew(self.lines.total)

    def escape(self) -> bool:
        """Stop or close what is open here; False: there was nothing."""
        if self._seeking:
            self.workers.cancel_group(self, "log-find")
            self._sought("stopped")
            return True
        if self._box.is_open:
            self._close_box()
            return True
        if self.view.manner.needle:
            self._needle = ""
            self.view.mark("")
            self._tell("")
            return True
        return False

    # What the operator does.

    def action_follow(self) -> None:
        self._said = ""
        self.is_following = not self.is_following and not self.lines.is_complete
        if self.is_following or self.lines.is_complete:
            self.view.focus_line = None
            self.view.show_end()
        self._see()

    def action_error(self, direction: int) -> None:
        first = self.lines.first_error
        if first is None and self.lines.is_complete:
            self._tell("no errors")
        elif first is not None and direction > 0 and self._place(0) < first:
            self._go_to(first)
        else:
            self._seek(Wanted(level="error"), direction)

    def action_find(self) -> None:
        self._box.open()

    def action_again(self, direction: int) -> None:
        if self._needle:
            self._seek(Wanted(self._needle), direction)

    def action_times(self) -> None:
        self.view.toggle_times()

    def action_wrap(self) -> None:
        self.view.toggle_wrap()
        self._see()

    def on_find_box_wanted(self, message: FindBox.Wanted) -> None:
        message.stop()
        self._close_box()
        self._needle = message.text
        self.view.mark(message.text)
        if message.text:
            self.view.focus_line = None
            self._seek(Wanted(message.text), 1, from_top=True)

    def on_log_view_moved(self, message: LogView.Moved) -> None:
        message.stop()
        if message.to_end is not None:
            self._said = ""
            self.is_following = message.to_end and not self.lines.is_complete and self._opened.is_set()
        self._see()

    # Loading: one request at a time, for what is looked at now.

    def _start_open(self) -> None:
        self.run_worker(self._open(), group="log-load", exclusive=True)

    async def _open(self) -> None:
        try:
            self.lines.take(await self._load(-_TAIL, _TAIL))
        except JobdeckError as error:
            self._fail(error)
            return
        self._trouble = ""
        self.view.empty = "no lines" if self.lines.is_complete else "no lines yet"
        if self.lines.first_error is not None:
            self.view.show_line(self.lines.first_error)
        else:
            self.is_following = not self.lines.is_complete
            self.view.show_end()
        self._opened.set()
        await self._fill()

    def _see(self) -> None:
        """Draw what is at hand and load what is missing."""
        self._compose_head()
        if not self._opened.is_set():
            return
        if self._gap() is None:
            self._draw()
        elif not self._is_loading():
            self.run_worker(self._fill(), group="log-load", exclusive=True)

    def _is_loading(self) -> bool:
        return any(
            worker.group == "log-load" and worker.node is self and not worker.is_finished for worker in self.workers
        )

    async def _fill(self) -> None:
        while (gap := self._gap()) is not None:
            try:
                page = await self._load(*gap)
            except JobdeckError as error:
                self._fail(error)
                return
            self.lines.take(page)
            self._trouble = ""
            self._draw()
            if not page.lines:
                break  # announced, but not yet written: the next growth asks again
        self._draw()

    def _gap(self) -> tuple[int, int] | None:
        """What is missing around the window; a screen more on each side, so that paging finds it there."""
        first, last = self.view.window
        rows = self.view.rows
        if self.is_following:
            first, last = self.lines.total - rows + 1, self.lines.total
        return self.lines.gap(first, last) or self.lines.gap(first - rows, last + rows)

    def _draw(self) -> None:
        if self.is_following:
            self.view.show_end()
        else:
            self.view.redraw()
        self._compose_head()

    async def _look_at_end(self) -> None:
        try:
            self.lines.take(await self._load(-_TAIL, _TAIL))
        except JobdeckError as error:
            self._fail(error)
            return
        if self.lines.is_complete:
            self.view.empty = "no lines"
        self._draw()
        self.is_following = self.is_following and not self.lines.is_complete
        self._see()

    def _fail(self, error: JobdeckError) -> None:
        self._trouble, self.view.empty = error.message, ""
        self._compose_head()

    # Finding: the agent looks, the cache is left alone until it is there.

    def _seek(self, wanted: Wanted, direction: int, *, from_top: bool = False) -> None:
        self._tell(f"looking for {wanted.name}, esc stops")
        self.run_worker(self._find(wanted, direction, from_top), group="log-find", exclusive=True)

    async def _find(self, wanted: Wanted, direction: int, from_top: bool) -> None:  # noqa: FBT001  (as `_seek` is)
        worker = get_current_worker()
        await self._opened.wait()  # from where it opens, though it was asked for before
        start, direction = self._way(direction, from_top)
        is_whole = start == (1 if direction > 0 else self.lines.total)
        try:
            number = await find(self._search, wanted, start, direction, partial(self._tell_place, wanted.name))
        except JobdeckError as error:
            self._sought("")
            self._fail(error)
            return
        if worker.is_cancelled:
            return
        if number is None:
            self._sought(not_found(wanted, None if is_whole else direction))
        else:
            self._sought("")
            self.lines.grow(number)
            self._go_to(number)

    def _way(self, direction: int, from_top: bool) -> tuple[int, int]:  # noqa: FBT001  (as `_seek` is)
        """From which line, and where to. Who stands at the end has nothing below: what is looked for is above."""
        top = self.view.window[0]
        if direction > 0 and self.view.is_at_end and top > 1 and not self._is_marked_shown:
            return self.lines.total, -1
        return top if from_top else self._place(direction) + direction, direction

    @property
    def _is_marked_shown(self) -> bool:
        first, last = self.view.window
        return self.view.focus_line is not None and first <= self.view.focus_line <= last

    def _place(self, direction: int) -> int:
        """From where to go on: the marked line while it is on the screen, else the screen's edge."""
        first, last = self.view.window
        if self.view.focus_line is not None and self._is_marked_shown:
            return self.view.focus_line
        return last + 1 if direction < 0 else first - 1

    def _go_to(self, number: int) -> None:
        self.is_following, self._said = False, ""
        self.view.show_line(number)
        self._see()

    def _close_box(self) -> None:
        self._box.close()
        self.screen.set_focus(self.view)

    # The line above.

    def _tell_place(self, what: str, number: int) -> None:
        self._tell(f"looking for {what}: line {number:,}, esc stops")

    def _sought(self, said: str) -> None:
        self._seeking, self._said = "", said
        self._compose_head()

    def _tell(self, text: str) -> None:
        self._seeking = text if "esc stops" in text else ""
        self._said = "" if self._seeking else text
        self._compose_head()

    def _compose_head(self) -> None:
        palette = self._look.palette
        head = Text(" Log ", "bold", no_wrap=True)
        head.append(f" {count(self.lines.total, 'line')}" if self._opened.is_set() else "", palette.muted)
        if self._trouble:
            head.append("  ").append_text(safe_text(self._trouble, palette.bad))
        elif told := self._seeking or self._said:
            head.append("  ").append_text(safe_text(told, palette.accent))
        elif self.is_following and not self._is_over:
            head.append("  following", palette.good)
        elif self.lines.first_error is not None:
            head.append(f"  first error: line {self.lines.first_error:,}", palette.bad)
        is_told = bool(self._trouble or self._seeking or self._said)
        room = self._head.size.width - head.cell_len - 1
        self._head.show(head, self._still(room) if is_told else self._hints(room))

    def _still(self, room: int) -> Text | None:
        """What a search told hides not whether `f` begins or ends it, where both have room."""
        text = Text("following", self._look.palette.good)
        return text if self.is_following and not self._is_over and text.cell_len <= room else None

    def _hints(self, room: int) -> Text:
        """As many as fit."""
        text = Text(no_wrap=True)
        for key, word in _HINTS:
            if text.cell_len + len(key) + len(word) + 3 <= room:
                text.append(key, f"bold {self._look.palette.accent}").append(f" {word}  ", self._look.palette.muted)
        return text
