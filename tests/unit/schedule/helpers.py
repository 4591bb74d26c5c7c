"""Short ways to say a schedule and read its fires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.schedule import Schedule, ScheduleSpec, compile_schedule


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def cron(expression: str, zone: str = "UTC", **more: Any) -> Schedule:
    return compile_schedule(ScheduleSpec("cron", expression, zone, **more))


def simple(interval: str, zone: str = "UTC", **more: Any) -> Schedule:
    return compile_schedule(ScheduleSpec("simple", interval, zone, **more))


def once(interval: str, zone: str = "UTC", **more: Any) -> Schedule:
    return compile_schedule(ScheduleSpec("once", interval, zone, **more))


def local_fires(schedule: Schedule, day: str, days: int = 1, limit: int = 100) -> list[str]:
    """The fires from a local midnight on for some days, as local `HH:MM+offset` (with the date when days > 1)."""
    zone = ZoneInfo(schedule.spec.timezone)
    start = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC)
    end = (datetime.fromisoformat(day) + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC)
    tick = timedelta(microseconds=1)
    form = "%H:%M%z" if days == 1 else "%d %H:%M%z"
    return [fire.astimezone(zone).strftime(form) for fire in schedule.between(start - tick, end - tick, limit)]
