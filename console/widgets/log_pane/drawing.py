"""A log line as it is drawn: level by letter and colour, what a terminal would obey taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.render.look import Palette
from console.render.safe import to_one_line

if TYPE_CHECKING:
    from shared.models import LogLine

Times = Literal["none", "time", "date"]
NEXT_TIMES: dict[Times, Times] = {"none": "time", "time": "date", "date": "none"}
_TIME_FORMS: dict[Times, str] = {"none": "", "time": "%H:%M:%S", "date": "%Y-%m-%d %H:%M:%S"}
_LETTERS = {"debug": "D", "info": " ", "warning": "W", "error": "E"}
_MARK_WIDTH = 2
_TAB = 8
# CSI, OSC and the like to their ends, else the two characters of a short sequence.
_ESCAPE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]?"
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How lines are drawn. `needle`: a text to show wherever it stands; `offset`: columns scrolled to the right."""

    width: int = 0
    times: Times = "none"
    is_wrapped: bool = False
    offset: int = 0
    needle: str = ""

    def but(self, **changes: object) -> Manner:
        return replace(self, **changes)  # type: ignore[arg-type]  # the fields' own types

    @property
    def room(self) -> int:
        """Columns for the text itself."""
        return max(1, self.width - _MARK_WIDTH - self._times_width)

    @property
    def _times_width(self) -> int:
        return {"none": 0, "time": 13, "date": 24}[self.times]


def clean(text: str) -> str:
    """One line of plain text: tabs to columns, without escape sequences and controls."""
    if text.isascii() and text.isprintable():
        return text
    return to_one_line(_ESCAPE.sub("", text).expandtabs(_TAB))


def rows_of(text: str, manner: Manner) -> int:
    """How many rows the text takes."""
    return max(1, -(-cell_len(text) // manner.room)) if manner.is_wrapped else 1


def draw(line: LogLine, part: int, manner: Manner, palette: Palette, under: Style) -> Strip:
    """Row `part` of a line (0 unless wrapped), exactly `manner.width` cells."""
    text = Strip(_text_segments(clean(line.text), line, manner, palette))
    start = part * manner.room if manner.is_wrapped else manner.offset
    shown = text.crop(start, start + manner.room)
    strip = Strip([*_margin(line, part, manner, palette), *shown])
    return Strip(Segment.apply_style(strip, under)).adjust_cell_length(manner.width, under).crop(0, manner.width)


def _margin(line: LogLine, part: int, manner: Manner, palette: Palette) -> list[Segment]:
    style = Style.parse(_level_style(line, palette) or "none")
    letter = Segment(_LETTERS[line.level] if part == 0 else " ", style)
    if manner.times == "none":
        return [letter, Segment(" ")]
    time = _moment(line.at, manner.times) if part == 0 else " " * len(_moment(line.at, manner.times))
    return [Segment(time, Style.parse(palette.muted)), Segment(" "), letter, Segment(" ")]


def _moment(at: datetime, times: Times) -> str:
    return f"{at:{_TIME_FORMS[times]}}.{at.microsecond // 1000:03}"


def _text_segments(text: str, line: LogLine, manner: Manner, palette: Palette) -> list[Segment]:
    style = Style.parse(_level_style(line, palette) or "none")
    if not manner.needle:
        return [Segment(text, style)]
    found = Style.parse(palette.accent) + Style(reverse=True)
    pieces = re.split(f"({re.escape(manner.needle)})", text, flags=re.IGNORECASE)
    return [Segment(piece, found if place % 2 else style) for place, piece in enumerate(pieces) if piece]


def _level_style(line: LogLine, palette: Palette) -> str:
    if line.level == "info":
        return palette.warning if line.stream == "stderr" else ""
    return {"debug": palette.muted, "warning": palette.warning, "error": palette.bad}[line.level]
