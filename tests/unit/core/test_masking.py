"""What a run says does not say its secrets, however they are written there."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from agent.core.running.masking import MASK, Masking


@pytest.mark.parametrize("secret", ["plain", 'with "quotes"', "back\\slash", "pässwörd", "a b/c+d&e", "\ud800x"])
def test_a_secret_is_hidden_in_every_spelling(secret: str) -> None:
    masking = Masking([secret, "other"])
    for spelled in (
        secret,
        json.dumps({"echo": secret}),
        json.dumps({"echo": secret}, ensure_ascii=False),
        f"https://a.example/?key={quote(secret, safe='', errors='replace')}",
    ):
        shown = masking.text(f"it said {spelled} and went")
        assert MASK in shown
        assert secret not in shown
        assert shown.count(MASK) == 1
        assert shown.endswith(" and went")


def test_a_text_of_several_lines_is_hidden_by_lines() -> None:
    masking = Masking(['-----BEGIN-----\nqwertz"uiop\nab\n'])
    assert masking.text('it has qwertz\\"uiop, -----BEGIN----- and ab') == f"it has {MASK}, {MASK} and ab"
    assert masking.value({'qwertz"uiop': ['qwertz"uiop', 1]}) == {MASK: [MASK, 1]}
