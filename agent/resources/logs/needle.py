"""A text that is looked for in bytes of UTF-8, in any letter case or exactly."""

from __future__ import annotations

import re


class Needle:
    """`size`: its bytes. Letters are the same in either case if both take as many bytes (`k` and the Kelvin sign do not).

    For any case, bytes that stand at the same place in two forms of a letter are folded into one; what is then found
    is looked at exactly, for the folding makes a few others alike. That way `find` does the work, not a pattern.
    """

    def __init__(self, text: str, *, match_case: bool) -> None:
        plain = text.encode()
        self.size = len(plain)
        forms = [[each] if match_case else _forms(each) for each in text]
        self._table = _folding(forms) if any(len(each) > 1 for each in forms) else None
        self._folded = plain if self._table is None else plain.translate(self._table)
        self._exactly = re.compile(b"".join(_any_of(each) for each in forms), re.DOTALL)

    def fold(self, data: bytes) -> bytes:
        """What `first` and `last` look into."""
        return data if self._table is None else data.translate(self._table)

    def first(self, data: bytes, folded: bytes, start: int, end: int) -> int:
        """Where it first begins from `start` up to `end`, not included; -1: nowhere."""
        until = end + self.size - 1
        if folded.rfind(self._folded, start, until) < 0:  # rfind is about twice as fast as find
            return -1
        place = folded.find(self._folded, start, until)
        while place >= 0 and not self._is_at(data, place):
            place = folded.find(self._folded, place + 1, until)
        return place

    def last(self, data: bytes, folded: bytes, start: int, end: int) -> int:
        """Where it last begins; the rest as with `first`."""
        place = folded.rfind(self._folded, start, end + self.size - 1)
        while place >= 0 and not self._is_at(data, place):
            place = folded.rfind(self._folded, start, place + self.size - 1)
        return place

    def _is_at(self, data: bytes, place: int) -> bool:
        return self._table is None or self._exactly.match(data, place) is not None


def _forms(letter: str) -> list[str]:
    size = len(letter.encode())
    forms = {letter, letter.lower(), letter.upper(), letter.title()}
    return sorted(form for form in forms if len(form) == 1 and len(form.encode()) == size)


def _folding(forms: list[list[str]]) -> bytes:
    """A table in which all bytes that are alike for these letters have become one."""
    table = list(range(256))
    for first, *others in ([form.encode() for form in each] for each in forms):
        for other in others:
            for one, two in zip(first, other, strict=True):
                table = [table[one] if byte == table[two] else byte for byte in table]
    return bytes(table)


def _any_of(forms: list[str]) -> bytes:
    return b"(?:" + b"|".join(re.escape(form.encode()) for form in forms) + b")"
