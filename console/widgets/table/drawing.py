"""Lines of a table: the header, and rows by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.widgets.table.columns import Column, Placed, place_columns
from console.widgets.table.fitting import fit_cell, fit_text
from console.widgets.table.source import RowSource

GUTTER = 2
"""Cells at the left, for marks."""
_DIM = Style(dim=True)
_BLANK = Segment(" ")


@dataclass(frozen=True, slots=True)
class LineStyle:
    """`under` lies below the cells' own styles; `accent` is for marks and news."""

    under: Style
    accent: Style


class Drawing:
    """Keeps the fitted cells of the rows on the screen, and draws lines from them."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.width = 0
        self.placed: tuple[Placed, ...] = ()
        self._fitted: dict[str, list[Segment]] = {}
        self._outdated: set[str] = set()

    def resize(self, width: int, columns: Sequence[Column]) -> None:
        self.width, self.columns = width, tuple(columns)
        self.placed = place_columns(columns, width, GUTTER)
        self._fitted.clear()

    def outdate(self, row_id: str) -> None:
        """Ask the source again when this row is drawn next."""
        self._outdated.add(row_id)

    def keep_only(self, ids: Iterable[str | None]) -> None:
        """Forget rows that are not on the screen."""
        kept = set(ids)
        self._fitted = {row_id: cells for row_id, cells in self._fitted.items() if row_id in kept}
        self._outdated &= kept

    def spans(self, keys: set[str]) -> Iterable[tuple[int, int]]:
        """(x, width) of the columns named, where they are shown."""
        return [(x, width) for column, _, x, width in self.placed if column.key in keys]

    def draw_header(self, style: LineStyle, sort: tuple[str, bool] | None, news: str) -> Strip:
        segments = [Segment(" " * GUTTER)]
        for column, _, _, width in self.placed:
            segments += [Segment(fit_text(_title(column, sort), width, column.align)), _BLANK]
        strip = self._finish(segments, style.under)
        if not news:
            return strip
        told = Strip([Segment(news, style.under + style.accent)])
        return Strip.join([strip.crop(0, max(0, self.width - len(news))), told]).adjust_cell_length(self.width)

    def draw_row(
        self, row_id: str | None, source: RowSource, style: LineStyle, console: Console, *, marked: bool, gone: bool
    ) -> Strip:
        """The line of a row; None is one whose page is not loaded."""
        if row_id is None:
            return self.draw_text("…", style)
        mark = Segment("* " if marked else " " * GUTTER, style.accent)
        strip = self._finish([mark, *self._fit(row_id, source, console)], style.under)
        return Strip(Segment.apply_style(strip, None, _DIM), self.width) if gone else strip

    def draw_text(self, text: str, style: LineStyle) -> Strip:
        return self._finish([Segment(" " * GUTTER + text, style.accent)], style.under)

    def _fit(self, row_id: str, source: RowSource, console: Console) -> list[Segment]:
        """The row's cells in their widths; of one that the source has forgotten, as they were last."""
        if row_id in self._fitted and row_id not in self._outdated:
            return self._fitted[row_id]
        self._outdated.discard(row_id)
        try:
            cells = source.cells(row_id)
        except KeyError:
            return self._fitted.setdefault(row_id, [Segment("…")])
        segments: list[Segment] = []
        for column, place, _, width in self.placed:
            segments += [*fit_cell(cells[place], width, column.align, console), _BLANK]
        self._fitted[row_id] = segments
        return segments

    def _finish(self, segments: Iterable[Segment], style: Style) -> Strip:
        return Strip(Segment.apply_style(segments, style)).adjust_cell_length(self.width, style)


def _title(column: Column, sort: tuple[str, bool] | None) -> str:
    if sort is None or sort[0] != column.key:
        return column.title
    return column.title + ("↓" if sort[1] else "↑")
