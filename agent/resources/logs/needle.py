"""A text that is looked for in bytes of UTF-8, in any letter case or exactly."""

from __future__ import annotations

import re

from agent.resources.logs.folding import Folding, folding


class Needle:
    """`size`: its bytes. Letters are the same in either case if both take as many bytes (`k` and the Kelvin sign do not).

    For any case, the bits in which two forms of a letter differ are set in all bytes (for ASCII that is one bit); what is
    then found is looked at exactly, for that makes a few others alike. That way `find` does the work, not a pattern.
    `expected`: about how many bytes will be looked through, which decides how they are folded.
    """

    def __init__(self, text: str, *, match_case: bool, expected: int = 0) -> None:
        plain = text.encode()
        self.size = len(plain)
        forms = [[each] if match_case else _forms(each) for each in text]
        bits = _differing(forms)
        self.fold: Folding = folding(bits, expected)
        """What `first` and `last` look into."""
        self._folds = bits != 0
        self._folded = bytes(byte | bits for byte in plain)
        self._exactly = re.compile(b"".join(_any_of(each) for each in forms), re.DOTALL)

    def first(self, data: bytes, folded: bytes | bytearray, start: int, end: int) -> int:
        """Where it first begins from `start` up to `end`, not included; -1: nowhere."""
        until = end + self.size - 1
        if folded.rfind(self._folded, start, until) < 0:  # rfind is about twice as fast as find
            return -1
        place = folded.find(self._folded, start, until)
        while place >= 0 and not self._is_at(data, place):
            place = folded.find(self._folded, place + 1, until)
        return place

    def last(self, data: bytes, folded: bytes | bytearray, start: int, end: int) -> int:
        """Where it last begins; the rest as with `first`."""
        place = folded.rfind(self._folded, start, end + self.size - 1)
        while place >= 0 and not self._is_at(data, place):
            place = folded.rfind(self._folded, start, place + self.size - 1)
        return place

    def _is_at(self, data: bytes, place: int) -> bool:
        return not self._folds or self._exactly.match(data, place) is not None


def _forms(letter: str) -> list[str]:
    size = len(letter.encode())
    forms = {letter, letter.lower(), letter.upper(), letter.title()}
    return sorted(form for form in forms if len(form) == 1 and len(form.encode()) == size)


def _differing(forms: list[list[str]]) -> int:
    """The bits in which bytes differ that stand at the same place in two forms of a letter."""
    bits = 0
    for first, *others in ([form.encode() for form in each] for each in forms):
        for other in others:
            for one, two in zip(first, other, strict=True):
                bits |= one ^ two
    return bits


def _any_of(forms: list[str]) -> bytes:
    return b"(?:" + b"|".join(re.escape(form.encode()) for form in forms) + b")"
