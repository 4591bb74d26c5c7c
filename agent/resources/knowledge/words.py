"""A question's words as a full-text query: quoted, so that nothing in them is syntax, and without the common ones."""

from __future__ import annotations

import re
import sqlite3
import unicodedata

MOST_WORDS = 32
COMMON_SHARE = 0.1
COMMON_ROWS = 1000
"""A word is common if it stands in more than a tenth of the rows, and in more than a thousand."""

_WORD = re.compile(r"[^\W_]+")


def match_expression(base: sqlite3.Connection, question: str) -> str | None:
    """An FTS5 query for rows with any of the question's words, None if it has no word. `base` has a `vocabulary`.

    Ranking many rows that share a common word is slow and says little, so such words are left out as long as a
    rarer one stays; if all are common, the rarest is taken.
    """
    counted = [(_rows_with(base, word), word) for word in _words(question)]
    if not counted:
        return None
    most = max(COMMON_ROWS, COMMON_SHARE * _rows(base))
    kept = [word for rows, word in counted if rows <= most] or [min(counted)[1]]
    return " OR ".join(f'"{word}"' for word in kept)


def _words(question: str) -> list[str]:
    return list(dict.fromkeys(_folded(word) for word in _WORD.findall(question)))[:MOST_WORDS]


def _folded(word: str) -> str:
    """As the index's tokenizer folds it: lower case, no diacritics."""
    parts = unicodedata.normalize("NFKD", word.lower())
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def _rows_with(base: sqlite3.Connection, word: str) -> int:
    found = base.execute("SELECT doc FROM temp.vocabulary WHERE term = ?", (word,)).fetchone()
    return found[0] if found else 0


def _rows(base: sqlite3.Connection) -> int:
    return int(base.execute("SELECT coalesce(sum(row_count), 0) FROM shares").fetchone()[0])
