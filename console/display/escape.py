"""esc is a key of its own, also where the next one comes in the same read.

A terminal sends esc as the character that all its other sequences begin with. What follows it at once, as over a slow
line, Textual takes for alt and a key, or forgets the esc: of `esc` and `enter`, typed ahead, it leaves `enter` alone,
which opens what was to be left. The console binds nothing to alt, so that here they are two keys.
"""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from selectors import EVENT_READ, SelectSelector

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_ESC = "\x1b"
_GOES_ON = frozenset(_ESC + "[O" + "P]_^X" + "\t\x7fbf")
"""With what esc is one key or one answer of the terminal all the same; the last four are, as terminals send them,
shift+tab, the deletion of a word, and steps over one."""
_LOOK_EVERY = 0.1
_MOST = 4096


class EscapeParser(XTermParser):
    """Sends esc by itself before what cannot belong to it."""

    def __init__(self, debug: bool = False) -> None:  # noqa: FBT001, FBT002  (Textual's own signature)
        super().__init__(debug)
        self._has_escape = False

    def feed(self, data: str) -> Iterable[Message]:
        """What an esc at the end means, the next read or `tick()` tells."""
        for part in _parts(data):
            if self._has_escape and part[:1] not in _GOES_ON:
                yield from self._end_escape()
            yield from super().feed(part)
            self._has_escape = part == _ESC

    def _end_escape(self) -> Iterable[Message]:
        """As if the time that Textual waits for more were over; nothing, where it is."""
        if self._timeout_time is not None:
            self._timeout_time = 0.0
        return self.tick()


class EscapeDriver(LinuxDriver):
    """Reads with that parser."""

    def run_input_thread(self) -> None:
        """Until the app leaves: what is typed, as messages."""
        parser, decode = EscapeParser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        with SelectSelector() as selector:
            selector.register(self.fileno, EVENT_READ)
            while not self.exit_event.is_set():
                typed = os.read(self.fileno, _MOST) if selector.select(_LOOK_EVERY) else None
                if typed == b"":
                    return
                for message in _messages(parser, decode(typed or b"")):
                    self.process_message(message)


def _messages(parser: EscapeParser, typed: str) -> Iterator[Message]:
    if typed:  # an empty text would end the parser, and may be half a character
        yield from parser.feed(typed)
    yield from parser.tick()


def _parts(data: str) -> Iterator[str]:
    """Cut before and behind each esc; the empty text, which ends the input, stays."""
    head, *rest = data.split(_ESC)
    if head or not rest:
        yield head
    for part in rest:
        yield _ESC
        if part:
            yield part
