"""A fault is pointed at in the text that it stands in."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions import line_of

TOML = '''\
# nightly things

[[jobs]]
name = "First"
description = """
type = "not this one"
[policies]
"""
policies.retry.attempts = 3

[[jobs]]
name = "Second"
[jobs.data]
argv = [
  "backup",
  "--all",
]
[jobs.policies]
"jitter" = "5 s"
[[jobs.actions]]
type = "email"
[[jobs.actions]]
type = "webhook"
data = { url = "https://example.org" }
'''

JSON = """{"jobs": [
  {"name": "First, or: {so}",
   "policies": {"retry": {"attempts": 3}}},
  {"name": "Second",
   "data": {"argv": ["backup",
                     "--all"]}
  }
]}"""


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("jobs.0.name", 4),
        ("jobs.0.policies.retry.attempts", 9),
        ("jobs.0.policies.retry.backoff", 9),
        ("jobs.0.type", 3),
        ("jobs.1.name", 12),
        ("jobs.1.data.argv", 14),
        ("jobs.1.data.argv.1", 14),
        ("jobs.1.policies.jitter", 19),
        ("jobs.1.actions.0.type", 21),
        ("jobs.1.actions.1.type", 23),
        ("jobs.1.actions.1.data.url", 24),
        ("nowhere", 1),
        ("", 1),
    ],
)
def test_in_toml(field: str, line: int) -> None:
    tomllib.loads(TOML)
    assert line_of(TOML, field) == line


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("jobs.0.name", 2),
        ("jobs.0.policies.retry.attempts", 3),
        ("jobs.1.name", 4),
        ("jobs.1.data.argv.1", 6),
        ("x", 1),
    ],
)
def test_in_json(field: str, line: int) -> None:
    json.loads(JSON)
    assert line_of(JSON, field) == line


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), _values, max_size=4), st.text())
def test_any_text_that_parses_can_be_searched(values: dict[str, object], field: str) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=False)
    assert 1 <= line_of(text, field) <= len(text.splitlines()) + 1
