"""When the job would run: in words, the next moments in its own zone, and what is special about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.text import Text

from console.render.look import Look
from console.render.safe import to_one_line
from console.render.spans import countdown
from console.screens.create.draft import Draft
from console.screens.create.schedule import ENDS, FOLD, GAP, INTERVAL, STARTS, WHEN, ZONE, has_moments

if TYPE_CHECKING:
    from console.client import AgentClient
    from console.client.answers import FireNote, FireTimes

SHOWN = 4
_MOST_REMARKS = 3
_NIGHTS = {
    "moved to end of gap": "runs at the end of the hour that does not exist",
    "first time": "the hour comes twice, it runs the first time",
}
"""Nights that need no warning, but a word."""


async def ask_fires(draft: Draft, client: AgentClient, now: datetime, look: Look, width: int) -> list[Text]:
    """The agent's answer to what was typed. InvalidInput names what is wrong by the keys of the fields."""
    when, interval, zone = (draft.text(key).strip() for key in (WHEN, INTERVAL, ZONE))
    if not has_moments(when):
        return by_hand(look)
    if not interval:
        return [Text("write a schedule, or pick one", look.palette.muted)]
    start, end, gap, fold = (draft.text(key).strip() or None for key in (STARTS, ENDS, GAP, FOLD))
    times = await client.jobs.fire_times(
        when, interval, zone or "UTC", after=now, count=SHOWN, start_on=start, end_on=end, gap=gap, fold=fold
    )
    return preview(times, zone or "UTC", now, look, width)


def preview(times: FireTimes, zone: str, now: datetime, look: Look, width: int) -> list[Text]:
    lines = [Text(to_one_line(times.schedule_text), f"bold {look.palette.accent}")]
    lines += [
        Text(f"  {_moment(moment, zone)}").append(f"  {countdown(moment, now)}", look.palette.muted)
        for moment in times.fire_times
    ]
    if not times.fire_times:
        lines.append(Text("  never again", look.palette.warning))
    for remark in _distinct([*times.warnings, *_nights(times.notes, zone)]):
        shown = wrap(to_one_line(remark), max(20, width - 2), initial_indent="! ", subsequent_indent="  ")
        lines += [Text(line, look.palette.warning) for line in shown]
    return lines


def _nights(notes: Sequence[FireNote], zone: str) -> list[str]:
    return [f"{_moment(note.at, zone)}: {_NIGHTS[note.mark]}" for note in notes if note.mark in _NIGHTS]


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


def _distinct(remarks: Sequence[str]) -> list[str]:
    """The same night comes every year; the first is enough."""
    kept: dict[str, str] = {}
    for remark in remarks:
        kept.setdefault("".join(sign for sign in remark if not sign.isdigit()), remark)
    return list(kept.values())[:_MOST_REMARKS]
