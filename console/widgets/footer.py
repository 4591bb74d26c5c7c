"""What can be done here and now, and on how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from console.render.look import Look
from console.widgets.line import Line


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that is possible. `word` says it with its number: `rerun 3 failed`; empty: the act's own word.

    Acts that are not `shown` can be done and stand in the palette, but would crowd the footer.
    """

    act: str
    word: str = ""
    shown: bool = True


Sign = Callable[[str], str]
Word = Callable[[str], str]


class Footer(Line):
    """Hints, best first, as many as fit; help comes last and always."""

    def __init__(self, look: Look, sign: Sign, word: Word) -> None:
        super().__init__(id="footer")
        self._look = look
        self._sign = sign
        self._word = word
        self._offers: tuple[Offer, ...] | None = ()

    def offer(self, offers: Sequence[Offer] | None) -> None:
        """None: not even help, the keys are letters."""
        self._offers = None if offers is None else tuple(offers)
        self._compose_line()

    def on_resize(self) -> None:
        self._compose_line()

    def _compose_line(self) -> None:
        if self._offers is None:
            self.show(Text())
            return
        tail = self._hint("help", "")
        room, line = (self.size.width or self.app.size.width) - tail.cell_len - 1, Text(no_wrap=True)
        for offer in self._offers:
            hint = self._hint(offer.act, offer.word)
            if offer.shown and cell_len(line.plain) + hint.cell_len <= room:
                line.append_text(hint)
        self.show(line, tail)

    def _hint(self, act: str, word: str) -> Text:
        text = Text(no_wrap=True)
        text.append(self._sign(act), f"bold {self._look.palette.accent}")
        return text.append(f" {word or self._word(act)}").append("  ")
