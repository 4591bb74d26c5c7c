"""What commands print: aligned columns, facts, JSON. Colours only where somebody sees them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

from console.render.safe import drop_controls, to_one_line

_COLOURS = {
    "running": "34",
    "retrying": "33",
    "completed": "32",
    "failed": "31",
    "cancelled": "35",
    "cancelling": "35",
    "error": "31",
    "warning": "33",
    "dim": "2",
    "bold": "1",
}
_GAP = "  "
_NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Column:
    """`flexible` columns give way when the terminal is narrow; `coloured` ones by the word in the cell."""

    title: str
    flexible: bool = False
    coloured: bool = False


def say(text: str = "", stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


def note(text: str) -> None:
    """Beside the result: on standard error, so that a pipe gets the result alone."""
    say(text, sys.stderr)


def say_json(value: Any) -> None:
    """A resource, a list of them, or plain values; names as in the API."""
    from pydantic_core import to_json

    say(to_json(value, by_alias=True, indent=2).decode())


def say_done(words: str, fact: Any, *, as_json: bool) -> None:
    """What an act without a resource to show has done: in words on standard error, or the fact as JSON."""
    if as_json:
        say_json(fact)
    else:
        note(words)


def say_json_line(value: Any) -> None:
    from pydantic_core import to_json

    say(to_json(value, by_alias=True).decode())
    sys.stdout.flush()


def say_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Aligned, with a head; cut to the terminal's width, and whole where it goes into a pipe."""
    cells = [[to_one_line(cell) for cell in row] for row in rows]
    widths = [max(map(_width, [column.title, *(row[i] for row in cells)])) for i, column in enumerate(columns)]
    if sys.stdout.isatty():
        widths = _squeeze(columns, widths, shutil.get_terminal_size().columns)
    say(paint(_line([column.title for column in columns], widths), "dim"))
    for row in cells:
        painted = [
            paint(_fit(cell, width), cell if column.coloured else "")
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        say(_GAP.join(painted).rstrip())


def say_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Name and value, one a line; empty values are left out."""
    shown = [(name, to_one_line(value)) for name, value in facts if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        say(f"{paint(name.ljust(width), 'dim')}{_GAP}{paint(value, value)}")


def paint(text: str, style: str, stream: TextIO | None = None) -> str:
    """Colour for a terminal that wants it; `style` is one of those above, any other leaves the text as it is."""
    code = _COLOURS.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if code and has_colours(stream or sys.stdout) else text


def has_colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def safe(text: str) -> str:
    """What others wrote, for a terminal: it must not move the cursor. A pipe gets it as it is."""
    return drop_controls(text) if sys.stdout.isatty() else text


def fit(text: str, width: int) -> str:
    """Cut to that many cells, padded to it."""
    return _fit(to_one_line(text), width)


def _squeeze(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    """Take from the widest flexible column, cell by cell, until all fit or none can give more."""
    widths = list(widths)
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while excess > 0:
        giving = [i for i, column in enumerate(columns) if column.flexible and widths[i] > _NARROWEST]
        if not giving:
            break
        widths[max(giving, key=lambda i: widths[i])] -= 1
        excess -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(_fit(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _fit(text: str, width: int) -> str:
    if _width(text) <= width:
        return text + " " * (width - _width(text))
    cut = ""
    for character in text:
        if _width(cut + character) >= width:
            break
        cut += character
    return f"{cut}…" + " " * (width - _width(cut) - 1)


def _width(text: str) -> int:
    """Cells that it takes; wide characters take two, marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
