"""What a look found: how bad it is, what is so, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
"""error: something does not work, or data are in danger. warning: it will come to that, or looks unintended."""

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    check: str
    sentence: str
    remedy: str


def error(check: str, sentence: str, remedy: str) -> Finding:
    return Finding("error", check, sentence, remedy)


def warning(check: str, sentence: str, remedy: str) -> Finding:
    return Finding("warning", check, sentence, remedy)


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
