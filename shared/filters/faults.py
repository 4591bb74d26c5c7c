"""Refusals that point at the character."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from shared.errors import Fault, InvalidInput


class BadFilter(InvalidInput):
    """`position` counts characters from 0; the message carries the text with a caret under it."""

    def __init__(self, text: str, position: int, message: str) -> None:
        self.text = text
        self.position = position
        self.sentence = message
        shown = text.replace("\n", " ").replace("\t", " ")
        caret = f"{message} (at character {position + 1})\n  {shown}\n  {' ' * position}^"
        super().__init__([Fault("filter", caret, text, "filter")])


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'state'?`, or nothing."""
    close = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
