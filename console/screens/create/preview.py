"""When the job would run: in words, the next moments in its own zone, and what is special about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.text import Text

from console.render.look import Look
from console.render.safe import to_one_line
from console.render.spans import countdown

if TYPE_CHECKING:
    from console.client.answers import FireTimes

SHOWN = 5
_MOST_WARNINGS = 3


def preview(times: FireTimes, zone: str, now: datetime, look: Look) -> list[Text]:
    lines = [Text(to_one_line(times.schedule_text), f"bold {look.palette.accent}")]
    lines += [
        Text(f"  {_moment(moment, zone)}").append(f"  {countdown(moment, now)}", look.palette.muted)
        for moment in times.fire_times
    ]
    if not times.fire_times:
        lines.append(Text("  never again", look.palette.warning))
    return lines + [Text(f"! {to_one_line(warning)}", look.palette.warning) for warning in _distinct(times.warnings)]


def by_hand(look: Look) -> list[Text]:
    return [Text("runs by hand and by API only", look.palette.muted)]


def _moment(moment: datetime, zone: str) -> str:
    """`Mon 2026-03-02 02:00 CET`; seconds where there are any."""
    try:
        local = moment.astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local = moment
    seconds = f":{local.second:02}" if local.second else ""
    return f"{local:%a %Y-%m-%d %H:%M}{seconds} {local.tzname()}"


def _distinct(warnings: Sequence[str]) -> list[str]:
    """The same night comes every year; the first is enough."""
    kept: dict[str, str] = {}
    for warning in warnings:
        kept.setdefault("".join(sign for sign in warning if not sign.isdigit()), warning)
    return list(kept.values())[:_MOST_WARNINGS]
