"""Differences of definitions, and of when they fire, as commands print them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.cli.output import paint, say
from console.client.answers import Comparison
from shared.models.applying import Difference

_WIDEST = 60
_LOOKED_AHEAD = 5
"""Fires that the agent answers of each side; fewer are all that there are."""
_ID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}\b")


def say_comparison(compared: Comparison) -> None:
    """Fields first, then the fires that come or go."""
    for difference in compared.fields:
        say(difference_text(difference))
    before, after = compared.next_fires.before, compared.next_fires.after
    if before is None or after is None:
        say(paint(f"{'before' if before is None else 'after'}: the schedule cannot be read", "error"))
    elif before != after:
        _say_fires(before, after)


def difference_text(difference: Difference) -> str:
    """On one line; ids of actions are cut to what tells them apart."""
    field = _ID.sub(r"\1", difference.field)
    if difference.before is None:
        return f"{field}: {_shown(difference.after)}"
    return f"{field}: {_shown(difference.before)} -> {_shown(difference.after)}"


def _say_fires(before: Sequence[datetime], after: Sequence[datetime]) -> None:
    say("next fires:")
    moments = sorted({*before, *after})
    # Beyond the last of a full list nobody looked: what is not in it may be there all the same.
    ends = [max(each) for each in (before, after) if len(each) >= _LOOKED_AHEAD]
    for moment in [each for each in moments if not ends or each <= min(ends)]:
        sign, style = _mark(moment in before, moment in after)
        say(paint(f"  {sign} {moment:%Y-%m-%d %H:%M:%S}Z", style))


def _mark(was: bool, will_be: bool) -> tuple[str, str]:
    if was and will_be:
        return " ", "dim"
    return ("+", "completed") if will_be else ("-", "error")


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
