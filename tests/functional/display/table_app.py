"""A console with a table of a million runs, driven by function keys; the tests look at it over a terminal.

f2 one progress tick · f3 a storm of 200 events a second · f4 seven new rows · f5 twenty random changes · f6 sort anew ·
f7 the cursor's row leaves · f8 write what a full repaint would draw to $DUMP · f9 suspend, scribble, resume · f12 quit
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from console.display import DiffApp, quiet
from console.display.painter import Painter
from console.render.look import Look
from console.render.progress import bar
from console.render.states import state_text
from console.theme import add_themes, choose_theme, look_of, use_theme
from console.widgets.table import Cell, Column, ListSource, VirtualTable
from shared.states import RunState

COLUMNS = (
    Column("state", "State", 12),
    Column("name", "Job", 12, flex=3),
    Column("bar", "Progress", 14, priority=1),
    Column("eta", "ETA", 8, align="right", priority=2),
    Column("owner", "Owner", 8, flex=1, priority=3),
)
WORDS = [
    "orders",
    "日本語の仕事",
    "re\u0301sume\u0301",
    "büro",
    "x",
    "índice de búsqueda",
    "中文 mix",
    "🚀",
    "cafe\u0301 中",
]
STYLES = [
    "",
    "bold red",
    "italic #00ff88",
    "reverse",
    "underline blue on #222244",
    "dim",
    "strike",
    "on yellow",
    "black on white",
]


class Rows:
    """Progress by row; everything else follows from the id."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.done: dict[str, int] = {}
        self.names: dict[str, Cell] = {}

    def cells(self, row_id: str) -> Sequence[Cell]:
        done = self.done.get(row_id, 0)
        name = self.names.get(row_id, Content.from_markup("job [b]$id[/b]", id=row_id))
        progress = bar(done / 100, 10, self.look).append(f"{done:3}%")
        return state_text(RunState.RUNNING, self.look), name, progress, f"{100 - done} s", "ops"


class TableApp(DiffApp[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        theme = choose_theme(os.environ.get("THEME"), os.environ)
        super().__init__()
        quiet(self)
        add_themes(self)
        use_theme(self, theme)
        self.look = look_of(theme)
        self.rows = Rows(self.look)
        count = int(os.environ.get("ROWS", "1000000"))
        self.random = random.Random(os.environ.get("SEED", "1"))
        self.source = ListSource([f"{number:07}" for number in range(count, 0, -1)], self.rows.cells)
        self.table = VirtualTable(self.source, COLUMNS)
        self.newest = count
        self.dumps = 0
        self.events = 0

    def compose(self) -> ComposeResult:
        yield Static("Jobdeck  runs", id="head")
        yield self.table
        yield Static("ready", id="foot")

    def on_mount(self) -> None:
        if "NO_COLOR" not in os.environ and "THEME" not in os.environ:
            self.query_one("#head").styles.background = "darkblue"

    def on_virtual_table_row_highlighted(self, message: VirtualTable.RowHighlighted) -> None:
        self.title = str(message.row_id)

    def key_f2(self) -> None:
        self.tick(self.table.visible_ids[4])

    def tick(self, row_id: str) -> None:
        self.rows.done[row_id] = min(100, self.rows.done.get(row_id, 30) + 10)
        self.table.change_rows([row_id], ["bar", "eta"])

    async def key_f3(self) -> None:
        self.run_worker(self.storm())

    async def storm(self) -> None:
        """600 events in three seconds, then `storm over` in the last line."""
        for _ in range(300):
            self.event()
            self.event()
            await asyncio.sleep(0.01)
        self.query_one("#foot", Static).update("storm over")

    def event(self) -> None:
        self.events += 1
        if path := os.environ.get("EVENTS"):
            Path(path).write_text(str(self.events))
            self.write_head()
        row_id = self.random.choice(self.table.visible_ids)
        if self.events % 10 == 0:
            self.add(1)
        elif self.events % 25 == 0 and row_id != self.table.cursor_id:
            self.remove(row_id)
        else:
            self.rows.done[row_id] = self.random.randrange(101)
            self.table.change_rows([row_id], ["bar", "eta"])

    def key_f4(self) -> None:
        self.add(7)

    def add(self, count: int) -> None:
        new = [f"{self.newest + number:07}" for number in range(count, 0, -1)]
        self.newest += count
        self.source.replace([*new, *self.source.ids()])
        self.table.add_rows(new)

    def remove(self, row_id: str | None) -> None:
        self.source.replace([other for other in self.source.ids() if other != row_id])
        self.table.order_changed()

    def key_f5(self) -> None:
        for _ in range(20):
            self.random.choice(
                [self.rename, self.rename, self.rename, self.move, self.shuffle, self.write_head, self.ask, self.paint]
            )()

    def rename(self) -> None:
        row_id = self.random.choice(self.table.visible_ids)
        word = " ".join(self.random.choices(WORDS, k=self.random.randrange(1, 4)))
        style = self.random.choice(STYLES)
        self.rows.names[row_id] = Text(word, style) if self.random.random() < 0.7 else word
        self.table.change_rows([row_id], ["name"])

    def move(self) -> None:
        self.random.choice(
            [
                lambda: self.table.action_move(self.random.randrange(-9, 10)),
                lambda: self.table.action_page(1),
                self.table.action_mark,
                self.table.action_last,
                self.table.action_first,
            ]
        )()

    def shuffle(self) -> None:
        ids = list(self.source.ids())
        self.random.shuffle(ids)
        self.source.replace(ids)
        self.table.order_changed()

    def write_head(self) -> None:
        self.query_one("#head", Static).update(
            Text(" ".join(self.random.choices(WORDS, k=40)), self.random.choice(STYLES))
        )

    def ask(self) -> None:
        from tests.functional.display.question import Question

        if isinstance(self.screen, Question):
            self.pop_screen()
        else:
            self.push_screen(Question())

    def paint(self) -> None:
        self.theme = self.random.choice(
            ["jobdeck-dark", "jobdeck-light", "jobdeck-contrast", "jobdeck-terminal", "ansi-dark", "nord"]
        )

    def key_f6(self) -> None:
        self.shuffle()

    def key_f7(self) -> None:
        self.remove(self.table.cursor_id)

    def key_f8(self) -> None:
        self.call_after_refresh(self.dump)

    def dump(self) -> None:
        """What Textual's own full repaint would write, numbered; renamed into place so that it is never read half."""
        lines = [strip.render(self.console) for strip in self.screen._compositor.render_strips()]
        text = "".join(f"\x1b[{y};1H{line}" for y, line in enumerate(lines, 1))
        target = Path(os.environ["DUMP"])
        self.dumps += 1
        target.with_suffix(".part").write_text(f"{self.dumps}\n{text}", encoding="utf-8")
        target.with_suffix(".part").rename(target)

    def key_f9(self) -> None:
        with self.suspend():
            sys.__stdout__.write("\x1b[2J\x1b[Hscribble\r\n" * 3)
            sys.__stdout__.flush()

    def key_f12(self) -> None:
        self.exit()


def break_the_painter() -> None:
    """As if the compositor had changed under us."""

    def take(*_: object) -> None:
        raise ValueError("odd")

    Painter.take = take  # type: ignore[method-assign]


def main() -> int:
    if "BREAK" in os.environ:
        break_the_painter()
    TableApp().run()
    return 0
