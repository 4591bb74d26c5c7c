"""What commands write to a terminal: names, messages and output of others must not command it.

Pipes and files get everything as it is. Colours and the return to a line's beginning are what Jobdeck writes itself.
"""

from __future__ import annotations

import io
import re
import sys
from typing import TextIO

_COLOUR = r"\x1b\[\d{0,2}m"
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_FOREIGN = re.compile(rf"(?!{_COLOUR}|\A\r)[{_CONTROLS}{_DIRECTIONS}]")


def fenced(text: str) -> str:
    """Without whatever would move the cursor, talk to the terminal or turn the direction of what follows."""
    return _FOREIGN.sub("", text)


def fence_terminal() -> None:
    """Standard output and error write fenced text from now on, where a terminal reads them."""
    sys.stdout = _behind_fence(sys.stdout)
    sys.stderr = _behind_fence(sys.stderr)


def _behind_fence(stream: TextIO) -> TextIO:
    if isinstance(stream, _Fence) or not isinstance(stream, io.TextIOWrapper) or not stream.isatty():
        return stream
    return _Fence(stream.buffer, stream.encoding, "backslashreplace", line_buffering=True)


class _Fence(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        return super().write(fenced(text))
