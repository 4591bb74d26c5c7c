"""Columns that fit, cells that fit, repaints at a pace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text
from textual.content import Content

from console.widgets.table.columns import Column, place_columns
from console.widgets.table.fitting import fit_cell, fit_text
from console.widgets.table.pace import Pace
from console.widgets.table.source import Cell

COLUMNS = (
    Column("state", "State", 4),
    Column("name", "Job", 10, flex=2),
    Column("eta", "ETA", 6, priority=1),
    Column("owner", "Owner", 8, flex=1, priority=2),
)


def test_flexible_columns_share_what_is_left() -> None:
    placed = place_columns(COLUMNS, 80, left=2)
    assert [(each.column.key, each.x, each.width) for each in placed] == [
        ("state", 2, 4), ("name", 7, 41), ("eta", 49, 6), ("owner", 56, 24),
    ]  # fmt: skip
    assert placed[-1].x + placed[-1].width == 80


@pytest.mark.parametrize(
    ("width", "keys"),
    [(33, "state name eta owner"), (30, "state name eta"), (20, "state name"), (10, "state"), (2, "state")],
)
def test_the_least_important_go_first(width: int, keys: str) -> None:
    assert [each.column.key for each in place_columns(COLUMNS, width)] == keys.split()


def test_what_a_row_cannot_do_without_shrinks_before_it_goes() -> None:
    columns = (
        Column("state", "S", 4),
        Column("job", "Job", 18, flex=3),
        Column("why", "Why", 22, flex=4),
        Column("at", "At", 10),
    )
    shrunk = place_columns(columns, 40)
    assert [(each.column.key, each.width) for each in shrunk] == [("state", 4), ("job", 11), ("why", 12), ("at", 10)]
    assert shrunk[-1].x + shrunk[-1].width == 40
    assert [each.column.key for each in place_columns(columns, 36)] == ["state", "job", "why"]


def test_cells_keep_their_place_among_all_columns() -> None:
    columns = (Column("a", "A", 5, priority=9), Column("b", "B", 5))
    assert [each.place for each in place_columns(columns, 5)] == [1]


CELLS: list[Cell] = [
    "job", "日本語の仕事", "a\nb\tc", "", Text("job", "red"), Text("日本語の仕事", "red"),
    Content.from_markup("[b]job[/b] one two three"), "e\u0301" * 12,
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("width", [0, 1, 2, 7, 12])
@pytest.mark.parametrize("align", ["left", "right", "center"])
def test_a_cell_is_exactly_as_wide_as_its_column(cell: Cell, width: int, align: str) -> None:
    segments = fit_cell(cell, width, align, Console())  # type: ignore[arg-type]
    text = "".join(segment.text for segment in segments)
    assert sum(map(cell_len, (segment.text for segment in segments))) == width
    assert "\n" not in text
    assert "\t" not in text


def test_what_is_cut_says_so() -> None:
    assert fit_text("orders-index", 8) == "orders-…"
    assert fit_text("日本語", 5) == "日本…"
    assert fit_text("日本語", 4) == "日 …"
    assert fit_text("12 s", 8, "right") == "    12 s"


class Timer:
    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, work: Callable[[], None]) -> None:
        self.calls.append((seconds, work))

    def ring(self) -> None:
        self.calls.pop(0)[1]()


def test_repaints_come_at_once_and_then_at_a_pace() -> None:
    timer, painted = Timer(), []
    pace = Pace(lambda: painted.append(1), timer)
    for _ in range(50):
        pace.request()
    assert (len(painted), [seconds for seconds, _ in timer.calls]) == (1, [0.2])
    timer.ring()
    assert len(painted) == 2
    timer.ring()
    assert (len(painted), timer.calls) == (2, [])
    pace.request()
    assert len(painted) == 3
