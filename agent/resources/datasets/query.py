"""The text of a dataset's query: one SELECT, as far as the text can tell; the source itself is asked for the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.errors import InvalidInput

_BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)+", re.DOTALL)
_FIRST = re.compile(r"\(*\s*([A-Za-z]+)")
_BEGINNINGS = ("select", "with", "values", "table", "from")
_NAME = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")
_INTO_FILE = re.compile(r"\binto\s+(outfile|dumpfile)\b", re.IGNORECASE)
ENGINES = frozenset({"sqlite", "postgresql", "mysql", "mariadb", "duckdb"})
"""Those that refuse a second statement by themselves."""


def check_query(query: str, kind: str = "") -> str:
    """The query without what ends it. InvalidInput on `query` if it is no SELECT, or visibly more than one."""
    text = _tail_off(query)
    begins = _FIRST.match(_head_off(text))
    if begins is None or begins.group(1).lower() not in _BEGINNINGS:
        raise InvalidInput.one(
            "query", "must be one SELECT (or WITH, VALUES, TABLE); sources are only read", query[:200]
        )
    if kind and kind not in ENGINES and ";" in text:
        raise InvalidInput.one("query", f"a ';' within it is not taken for sources of kind '{kind}'", query[:200])
    if kind in ("mysql", "mariadb") and _INTO_FILE.search(text):
        raise InvalidInput.one("query", "must not write a file: leave INTO OUTFILE out", query[:200])
    return text


def bound(query: str, parameters: Mapping[str, Any]) -> str:
    """The query as SQLAlchemy's `text` takes it: only the parameters' names stand for values, every other `:` for itself."""
    return _NAME.sub(lambda found: found[0] if found[1] in parameters else f"\\{found[0]}", query)


def numbered(query: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The query as DuckDB takes it (`$name`), and the parameters that it speaks of."""
    used = {name for name in _NAME.findall(query) if name in parameters}
    text = _NAME.sub(lambda found: f"${found[1]}" if found[1] in used else found[0], query)
    return text, {name: parameters[name] for name in sorted(used)}


def _head_off(text: str) -> str:
    found = _BLANK.match(text)
    return text[found.end() :] if found else text


def _tail_off(text: str) -> str:
    text = text.strip()
    while text.endswith(";"):
        text = text[:-1].rstrip()
    return text
