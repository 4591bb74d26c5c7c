"""A cell's content, brought to its column's width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.text import Text
from textual.content import Content
from textual.strip import Strip
from textual.style import Style

from console.render.safe import to_one_line
from console.widgets.table.columns import Align
from console.widgets.table.source import Cell


def fit_cell(cell: Cell, width: int, align: Align, console: Console) -> list[Segment]:
    """Segments of exactly `width` cells: cut with an ellipsis, or padded."""
    if isinstance(cell, str):
        return [Segment(fit_text(cell, width, align))]
    segments = _segments_of(cell, console)
    length = sum(segment.cell_length for segment in segments)
    if length > width:
        return [*Strip(segments).crop(0, max(0, width - 1)), Segment("…" if width else "", _last_style(segments))]
    return _pad(segments, width - length, align)


def fit_text(text: str, width: int, align: Align = "left") -> str:
    """`text` in exactly `width` cells."""
    text = to_one_line(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width else ""
    left = {"left": 0, "right": width - length, "center": (width - length) // 2}[align]
    return " " * left + text + " " * (width - length - left)


def _segments_of(cell: Text | Content, console: Console) -> list[Segment]:
    drawn = _draw_text(cell, console) if isinstance(cell, Text) else cell.render_segments(Style.null())
    return [Segment(to_one_line(text), style) for text, style, _ in drawn if text]


def _draw_text(text: Text, console: Console) -> Iterable[Segment]:
    """Rich forgets a text's own style when no part of it has another."""
    return Segment.apply_style(text.render(console, end=""), console.get_style(text.style, default=RichStyle.null()))


def _last_style(segments: Sequence[Segment]) -> RichStyle | None:
    return segments[-1].style if segments else None


def _pad(segments: list[Segment], spare: int, align: Align) -> list[Segment]:
    left = {"left": 0, "right": spare, "center": spare // 2}[align]
    before = [Segment(" " * left)] if left else []
    after = [Segment(" " * (spare - left))] if spare > left else []
    return before + segments + after
