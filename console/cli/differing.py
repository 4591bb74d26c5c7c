"""Differences of definitions, and of when they fire, as commands print them."""

from __future__ import annotations

import json
import re
from typing import Any

from console.cli.output import paint, say
from console.client.answers import Comparison, NextFires
from shared.models.applying import Difference

_WIDEST = 60
_ID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}\b")


def say_comparison(compared: Comparison) -> None:
    """Fields first, then the fires that come or go."""
    for difference in compared.fields:
        say(difference_text(difference))
    before, after = compared.next_fires.before, compared.next_fires.after
    if before is None or after is None:
        say(paint(f"{'before' if before is None else 'after'}: the schedule cannot be read", "error"))
    elif before != after:
        _say_fires(compared.next_fires)


def difference_text(difference: Difference) -> str:
    """On one line; ids of actions are cut to what tells them apart."""
    field = _ID.sub(r"\1", difference.field)
    if difference.before is None:
        return f"{field}: {_shown(difference.after)}"
    return f"{field}: {_shown(difference.before)} -> {_shown(difference.after)}"


def _say_fires(fires: NextFires) -> None:
    say("next fires:")
    for change in fires.changes():
        sign, style = _mark(change.was, change.will_be)
        said = "  the next one then" if change.was is None else ""
        say(paint(f"  {sign} {change.at:%Y-%m-%d %H:%M:%S}Z{said}", style))


def _mark(was: bool | None, will_be: bool) -> tuple[str, str]:
    if was is None:
        return " ", "completed"
    if was and will_be:
        return " ", "dim"
    return ("+", "completed") if will_be else ("-", "error")


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
