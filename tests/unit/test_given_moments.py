"""Moments that somebody writes: naive means UTC, and what cannot be reckoned with is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.models.base import GivenInstant

READ = TypeAdapter(GivenInstant)


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T02:00:00+02:00"])
def test_naive_means_utc(text: str) -> None:
    assert READ.validate_python(text) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "1969-12-31"])
def test_years_beyond_reach_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="1970 to 9899"):
        READ.validate_python(text)
