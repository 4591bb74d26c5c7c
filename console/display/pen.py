"""What a cell is drawn with, and the shortest way from one pen to the next."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.style import Style

from console.render.safe import drop_controls

_ON = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
_OFF = ("22", "22", "23", "24", "25", "25", "27", "28", "29", "24", "54", "54", "55")
"""SGR numbers by bit, in the order of Rich's attributes: bold, dim, italic, underline, blink, blink2, reverse, conceal,
strike, underline2, frame, encircle, overline."""
_SEEN_ON_BLANK = sum(1 << bit for bit in (3, 6, 8, 9, 10, 11, 12))


class Pen(NamedTuple):
    """Attributes as Rich's bits, colours as SGR numbers (empty: the terminal's own), the link's address."""

    attributes: int = 0
    fore: str = ""
    back: str = ""
    link: str = ""

    @property
    def marks_blank(self) -> bool:
        """True where a space shows more than its background."""
        return bool(self.attributes & _SEEN_ON_BLANK)


PLAIN = Pen()


@lru_cache(4096)
def pen_of(style: Style | None, colors: ColorSystem) -> Pen:
    """The pen for a Rich style, its colours brought down to what the terminal has."""
    if style is None:
        return PLAIN
    return Pen(
        sum(1 << bit for bit, name in enumerate(_NAMES) if getattr(style, name)),
        _color_codes(style.color, colors, foreground=True),
        _color_codes(style.bgcolor, colors, foreground=False),
        drop_controls(style.link or ""),
    )


_NAMES = (
    "bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal",
    "strike", "underline2", "frame", "encircle", "overline",
)  # fmt: skip


def _color_codes(color: Color | None, colors: ColorSystem, *, foreground: bool) -> str:
    if color is None or color.is_default:
        return ""
    return ";".join(color.downgrade(colors).get_ansi_codes(foreground))


@lru_cache(4096)
def blank_pen(pen: Pen) -> Pen:
    """The pen of a space: its colour is not seen, so that two which look alike are alike."""
    return pen if pen.marks_blank else Pen(0, "", pen.back, pen.link)


def looks_blank_alike(now: Pen, wanted: Pen) -> bool:
    """True when a space drawn with `now` looks as one drawn with `wanted`."""
    return now.back == wanted.back and now.link == wanted.link and not (now.marks_blank or wanted.marks_blank)


@lru_cache(8192)
def change_pen(now: Pen, wanted: Pen) -> str:
    """The shortest sequence that turns `now` into `wanted`; empty when they are one."""
    if now == wanted:
        return ""
    sgr = ""
    if now[:3] != wanted[:3]:
        steps, afresh = ";".join(_steps(now, wanted)), ";".join(["", *_steps(PLAIN, wanted)])
        sgr = f"\x1b[{min(steps, afresh, key=len)}m"
    link = f"\x1b]8;;{wanted.link}\x1b\\" if now.link != wanted.link else ""
    return link + sgr


def _steps(now: Pen, wanted: Pen) -> list[str]:
    gone = now.attributes & ~wanted.attributes
    off = {_OFF[bit] for bit in range(len(_OFF)) if gone >> bit & 1}
    codes = sorted(off)
    for bit in range(len(_ON)):
        if wanted.attributes >> bit & 1 and (not now.attributes >> bit & 1 or _OFF[bit] in off):
            codes.append(_ON[bit])
    if now.fore != wanted.fore:
        codes.append(wanted.fore or "39")
    if now.back != wanted.back:
        codes.append(wanted.back or "49")
    return codes
