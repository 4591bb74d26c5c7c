"""Moments as whole microseconds since 1970, in UTC or on a wall; arithmetic on them is exact and cheap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 366 * DAY
EPOCH_ORDINAL = 719_163
"""`date(1970, 1, 1).toordinal()`: day 0 of the numbers here."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall time has no zone
_MICRO = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """The number of an aware moment; a naive one is a TypeError."""
    return (moment - _EPOCH) // _MICRO


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of a number."""
    return _EPOCH + timedelta(microseconds=micros)


def wall_to_micros(wall: datetime) -> int:
    """The number of a naive wall time."""
    return (wall - _WALL_EPOCH) // _MICRO


def wall_from_micros(micros: int) -> datetime:
    """The naive wall time of a number."""
    return _WALL_EPOCH + timedelta(microseconds=micros)


LAST = to_micros(datetime(9900, 1, 1, tzinfo=UTC))
"""No fire is looked for after this; datetime ends soon behind it."""
