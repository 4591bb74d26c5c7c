"""What publishing would change: the fields, and the fires that come or go."""

from __future__ import annotations

import json
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.text import Text

from console.render.look import Look, Palette
from console.render.safe import to_one_line
from console.screens.create.fields import Option

if TYPE_CHECKING:
    from console.client.answers import Comparison, FireChange, NextFires

PUBLISH, KEEP, DISCARD = "Publish it", "Keep it as a draft", "Discard the draft"
_LABEL_WIDTH = 25


def ways(compared: Comparison, actions: Option) -> tuple[Option, ...]:
    """What can be done with it; there is nothing to publish where nothing differs."""
    if not compared.fields:
        return (Option(DISCARD, "nothing differs from the job"), Option(KEEP), actions)
    return (Option(PUBLISH, "the job's next revision"), Option(KEEP), Option(DISCARD), actions)


def changes(compared: Comparison, zone: str, look: Look) -> list[Text]:
    """Moments are told as the clocks of that zone show them."""
    if not compared.fields:
        return [Text("Nothing differs from the job as it is.", look.palette.muted)]
    lines: list[Text] = []
    for each in compared.fields:
        lines += _field(each.field, each.before, each.after, look)
    return [*lines, Text(), *_fires(compared.next_fires, _zone(zone), look)]


def _field(path: str, before: Any, after: Any, look: Look) -> list[Text]:
    """On a line each, the new below the old, so that the eye finds what is other."""
    palette = look.palette
    label = Text(f"{path[:_LABEL_WIDTH]:<{_LABEL_WIDTH}} ", palette.muted, no_wrap=True)
    gap = Text(" " * (_LABEL_WIDTH + 1), no_wrap=True)
    old = [label.append(f"- {_shown(before)}", palette.bad)] if before is not None else []
    place = gap if old else label
    return [*old, place.append(f"+ {_shown(after)}", palette.good)] if after is not None or not old else old


def _fires(fires: NextFires, zone: tzinfo, look: Look) -> list[Text]:
    palette = look.palette
    if fires.before is None or fires.after is None:
        return [Text("The schedule cannot be read.", palette.bad)]
    if fires.before == fires.after:
        return [Text("It fires as before." if fires.after else "It does not fire by itself.", palette.muted)]
    return [Text("Next fires", "bold"), *(_fire(change, zone, look.palette) for change in fires.changes())]


def _fire(change: FireChange, zone: tzinfo, palette: Palette) -> Text:
    moment = f"{change.at.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}"
    if change.was is None:
        return Text(f"    {moment}  the next one then", palette.good, no_wrap=True)
    sign, style = (" ", palette.muted) if change.was else ("+", palette.good)
    if not change.will_be:
        sign, style = "-", palette.bad
    return Text(f"  {sign} {moment}", style, no_wrap=True)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # the agent knows more zones than this machine
        return UTC


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return to_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
