"""The filter language over rows of a list."""

from __future__ import annotations

import pytest

from shared.filters import BadFilter, complete, fields_of, parse_rows

FIELDS = fields_of(("outcome", "job", "why"))
ROW = {"outcome": "⊘ skipped", "job": "Orders into the index", "why": "overlap active"}
BARE = {"outcome": "✓ started", "job": "Größe", "why": ""}


@pytest.mark.parametrize(
    ("text", "row", "other"),
    [
        ("", True, True),
        ("skip", True, False),
        ("outcome:skipped,started", True, True),
        ("outcome:skip job:index", True, False),
        ("job:dex", False, False),
        ("job:~dex", True, False),
        ("-overlap", False, True),
        ("why:none", False, True),
        ("grosse", False, True),
        ("größe", False, True),
        ('"orders index"', False, False),
        ('"into the"', True, False),
    ],
)
def test_what_a_filter_takes(text: str, row: bool, other: bool) -> None:
    wanted = parse_rows(text, FIELDS)
    assert (wanted.matches(ROW), wanted.matches(BARE)) == (row, other)


def test_what_is_wrong_is_pointed_at_and_what_could_follow_is_told() -> None:
    with pytest.raises(BadFilter, match="there is no field 'state'") as found:
        parse_rows("orders state:failed", FIELDS)
    assert found.value.position == 7
    assert complete("jo", 2, FIELDS) == ["job:"]
