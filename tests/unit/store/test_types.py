"""JSON in columns: fast where it can be, and the same where it cannot."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from agent.store.types import from_json, to_json


def _deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"deeper": found}
    return found


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True, "ü", "\n"]}, [], "", 10**30, 1e22, math.inf, _deep(400), {"1": {"x": -0.0}}]
)
def test_what_goes_in_comes_out(value: Any) -> None:
    assert from_json(to_json(value)) == value
    assert json.loads(to_json(value)) == value


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert from_json(to_json({"said": "a\ud800b"})) == {"said": "a?b"}
