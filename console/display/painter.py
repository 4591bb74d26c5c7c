"""Keeps what the terminal shows and what it should show, and says what to send."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from console.display.encode import Place, encode_difference, move_cursor
from console.display.frame import Frame

_CLEAR = "\x1b[m\x1b[2J"
_SYNC = ("\x1b[?2026h", "\x1b[?2026l")


class UnknownUpdate(Exception):
    """The compositor handed over something that is not known here."""


class Painter:
    """Two frames: `wanted` follows the compositor, `shown` follows the terminal (None: unknown, so clear it first)."""

    def __init__(self) -> None:
        self._wanted: Frame | None = None
        self._shown: Frame | None = None
        self._cursor: Place | None = None

    def forget(self) -> None:
        """The terminal may show anything now: the next frame is written as a whole."""
        self._shown = None
        self._cursor = None

    def knows(self, size: tuple[int, int]) -> bool:
        """True when a part of a frame of this size can be drawn over the one before."""
        return self._wanted is not None and self._wanted.size == size

    def take(self, update: CompositorUpdate, size: tuple[int, int], colors: ColorSystem) -> None:
        """Draw an update into the wanted frame; a new size starts a new one. Raises UnknownUpdate."""
        if self._wanted is None or self._wanted.size != size:
            self._wanted = Frame(*size)
            self.forget()
        for x, y, strip in _placed_strips(update):
            self._wanted.put(x, y, strip, colors)

    def emit(self, cursor: Place, *, synchronized: bool) -> str:
        """What to write now; empty when the terminal shows all of it already."""
        if self._wanted is None:
            return ""
        lead = ""
        if self._shown is None:
            self._shown, lead = Frame(*self._wanted.size), _CLEAR
        changes = lead + encode_difference(self._shown, self._wanted)
        if not changes and cursor == self._cursor:
            return ""
        self._remember()
        self._cursor = cursor
        output = changes + move_cursor(None, cursor)
        return output.join(_SYNC) if synchronized and len(changes) > _FITS_ONE_PACKET else output

    def _remember(self) -> None:
        assert self._wanted is not None
        assert self._shown is not None
        for y in range(self._wanted.height):
            self._shown.characters[y][:] = self._wanted.characters[y]
            self._shown.pens[y][:] = self._wanted.pens[y]


_FITS_ONE_PACKET = 256
"""Characters that arrive in one piece anyway: no frame around them."""


def _placed_strips(update: CompositorUpdate) -> Iterable[tuple[int, int, Strip]]:
    if isinstance(update, LayoutUpdate):
        yield from _whole_strips(update)
    elif isinstance(update, ChopsUpdate):
        yield from _part_strips(update)
    else:
        raise UnknownUpdate(type(update).__name__)


def _whole_strips(update: LayoutUpdate) -> Iterable[tuple[int, int, Strip]]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield x, y, strip
            x += strip.cell_length


def _part_strips(update: ChopsUpdate) -> Iterable[tuple[int, int, Strip]]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > right or end <= left:
                continue
            yield x, y, strip if end <= right else strip.crop(0, right - x)
