from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.filters import BadFilter, Kind, complete, parse, word_at


@pytest.mark.parametrize(
    ("text", "suggestions"),
    [
        ("sta", ["state:", "started:"]),
        ("-st", ["-state:", "-started:"]),
        ("state:f", ["state:failed", "state:finished"]),
        ("-state:failed,c", ["-state:failed,completed", "-state:failed,cancelled", "-state:failed,cancelling"]),
        ("state:failed", []),
        ("name:~x sta", ["state:", "started:"]),
        ('name:"a b" cause:m', ["cause:manual"]),
        ('name:"a st', []),
        ("dur", ["dur<"]),
        ("dur>1", ["dur>10s", "dur>1m", "dur>10m", "dur>1h"]),
        ("started:", ["started:today", "started:none"]),
        ("nothing:x", []),
    ],
)
def test_suggestions(text: str, suggestions: list[str]) -> None:
    assert complete(text, len(text), "run") == suggestions


def test_an_empty_bar_suggests_every_field() -> None:
    assert {"name:", "enabled:", "next:", "schedule:"} <= set(complete("", 0, "job"))


@pytest.mark.parametrize(
    ("text", "cursor", "span"),
    [("ab cd ef", 4, (3, 5)), ("ab cd", 2, (0, 2)), ("ab ", 3, (3, 3)), ('n:"a b" c', 5, (0, 7)), ("", 0, (0, 0))],
)
def test_the_word_at_the_cursor(text: str, cursor: int, span: tuple[int, int]) -> None:
    assert word_at(text, cursor) == span


@given(
    text=st.text(alphabet='stae:<>,-" uronm1h', max_size=20),
    cursor=st.integers(0, 20),
    kind=st.sampled_from(["run", "job"]),
)
def test_a_suggestion_with_a_value_is_a_filter(text: str, cursor: int, kind: Kind) -> None:
    cursor = min(cursor, len(text))
    start, _ = word_at(text, cursor)
    for suggestion in complete(text, cursor, kind):
        assert suggestion.startswith(text[start:cursor][:1])
        if suggestion[-1] not in ":<>=~":
            assert _faulty_at(suggestion, kind) < len(suggestion) - 1


def _faulty_at(suggestion: str, kind: Kind) -> int:
    """What stood before the last value may be wrong; what was suggested is not. -1: nothing is."""
    try:
        parse(suggestion, kind)
    except BadFilter as fault:
        return fault.position
    return -1
