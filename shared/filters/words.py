"""Words of a text, as the full-text search sees them: letters and digits, without case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """`Sync läuft: orders_db` -> sync, lauft, orders, db."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))


def holds(text: Sequence[str], phrase: Sequence[str], *, prefix: bool) -> bool:
    """True if the words of `phrase` stand in `text` one after the other; with `prefix` the last may go on."""
    span = len(phrase)
    return any(_fits(text[at : at + span], phrase, prefix=prefix) for at in range(len(text) - span + 1))


def _fits(part: Sequence[str], phrase: Sequence[str], *, prefix: bool) -> bool:
    if list(part[:-1]) != list(phrase[:-1]):
        return False
    return part[-1].startswith(phrase[-1]) if prefix else part[-1] == phrase[-1]
