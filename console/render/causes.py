"""What made a run begin, in the words for people."""

from __future__ import annotations

_WORDS = {
    "schedule": "by schedule",
    "catch_up": "caught up",
    "manual": "by hand",
    "api": "by API",
    "rerun": "rerun",
}


def cause_text(cause: str) -> str:
    """`by hand`; a word of a newer agent as it is."""
    return _WORDS.get(cause, cause.replace("_", " "))


def cause_under_by(cause: str) -> str:
    """`hand`: where `by` is written beside it."""
    return cause_text(cause).removeprefix("by ")
