"""Cursor values keep their type; the lag moves them back within it."""

# ruff: noqa: DTZ001 - columns without a zone are what this is about

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.driving import DriverError
from agent.resources.knowledge.sync.values import before, from_json, key_text, plain, to_json

VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.text(),
    st.datetimes(),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30)))),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.binary(),
)


@given(VALUES)
def test_values_come_back_through_json_as_they_were(value: Any) -> None:
    back = from_json(json.loads(json.dumps(to_json(value))))
    assert back == value
    assert type(back) is type(value)
    if isinstance(value, datetime):
        assert back.utcoffset() == value.utcoffset()


@pytest.mark.parametrize(
    ("value", "lag", "moved"),
    [
        (datetime(2025, 1, 1, 0, 2), None, datetime(2024, 12, 31, 23, 57)),
        (datetime(2025, 1, 1, tzinfo=UTC), timedelta(0), datetime(2025, 1, 1, tzinfo=UTC)),
        (date(2025, 1, 2), None, date(2025, 1, 1)),
        (date(2025, 1, 2), timedelta(days=3), date(2024, 12, 30)),
        (7, None, 7),
        (7, 5, 2),
        (Decimal("1.5"), 0.5, Decimal("1.0")),
        ("abc", None, "abc"),
        ("2025-01-01 00:02:00", None, "2024-12-31 23:57:00"),
        ("2025-01-01T00:02:00.5Z", None, "2024-12-31T23:57:00.5Z"),
        ("2025-01-01T00:02:00.123456789+02:00", None, "2024-12-31T23:57:00.123456789+02:00"),
        ("2025-01-01 00:02", None, "2024-12-31 23:57"),
        ("2025-01-02", None, "2025-01-01"),
        ("0001-01-01 00:00:00", None, "0001-01-01 00:00:00"),
        ("2025-13-77 00:00:00", None, "2025-13-77 00:00:00"),
        (datetime(1, 1, 1), None, datetime(1, 1, 1)),
    ],
)
def test_lag_moves_a_value_back_in_its_own_type(value: Any, lag: Any, moved: Any) -> None:
    assert before(value, lag) == moved
    assert type(before(value, lag)) is type(value)


@pytest.mark.parametrize(
    ("value", "lag"), [(7, timedelta(minutes=1)), (datetime(2025, 1, 1), 5), ("abc", 3), (UUID(int=1), 1)]
)
def test_lag_that_does_not_fit_is_refused(value: Any, lag: Any) -> None:
    with pytest.raises(DriverError, match="the lag"):
        before(value, lag)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1.50"), 1.5),
        (Decimal("3"), 3),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (float("nan"), "nan"),
        (date(2025, 1, 2), "2025-01-02"),
        (time(1, 2), "01:02:00"),
        (b"\x01", "01"),
        ({"a": [Decimal("2")]}, {"a": [2]}),
        (None, None),
    ],
)
def test_attributes_are_plain_json(value: Any, shown: Any) -> None:
    assert plain(value) == shown
    json.dumps(plain(value), allow_nan=False)


def test_keys_are_texts() -> None:
    assert key_text([42]) == "42"
    assert key_text(["a"]) == "a"
    assert key_text([1, "ü", date(2025, 1, 2)]) == '[1, "ü", "2025-01-02"]'
