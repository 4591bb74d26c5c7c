"""Text from outside, made fit for a terminal: a log line must neither command it nor turn the direction of others."""

from __future__ import annotations

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_DROP = dict.fromkeys(_CONTROLS)
_ON_ONE_LINE = _DROP | dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " ")


def drop_controls(text: str) -> str:
    """Without control characters and marks of direction; none of them is a cell wide, so the rest stays in place."""
    return text if text.isascii() and text.isprintable() else text.translate(_DROP)


def to_one_line(text: str) -> str:
    """The same, with breaks and tabs as single blanks."""
    return text if text.isascii() and text.isprintable() else text.translate(_ON_ONE_LINE)
