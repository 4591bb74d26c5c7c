"""The steps of a run in lines: by attempt where there are several, each action's own steps below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.look import Look
from console.render.safe import to_one_line
from console.render.spans import short_span
from console.render.states import state_mark
from console.screens.run_detail.lines import title, wrapped
from shared.states import RunState

if TYPE_CHECKING:
    from shared.models import Step

_STATES = {state.value: state for state in RunState}
_REST = 36
"""Cells of a step's line that are not its name, with some for its message."""
_SPENT = 9
"""Cells of the time that it took, with the blanks before it."""
_MARK = 6
"""Cells before the name."""


def step_lines(steps: Sequence[Step], now: datetime, look: Look, width: int) -> Iterator[Text]:
    if not steps:
        return
    yield title("Steps")
    ordered = sorted(steps, key=lambda step: (step.attempt, step.position))
    widest = min(max(len(_name(step)) for step in ordered), max(12, width - _REST))
    attempts = [(number, list(each)) for number, each in groupby(ordered, key=lambda step: step.attempt)]
    for number, each in attempts:
        if len(attempts) > 1:
            yield Text(f"  attempt {number}", look.palette.muted)
        for step in each:
            yield from _step(step, now, look, widest, width)


def _step(step: Step, now: datetime, look: Look, widest: int, width: int) -> Iterator[Text]:
    """On one line; the reason of one that failed or was skipped below it, where it has no room beside."""
    state = _STATES.get(step.state)
    mark = state_mark(state, look) if state else Text("· S ", look.palette.muted)
    text = Text("  ").append_text(mark).append(_name(step)[:widest].ljust(widest))
    text.append(f"  {_spent(step, now):>7}", look.palette.muted)
    room = width - _MARK - widest - _SPENT - 2
    if step.state in ("failed", "skipped") and len(step.message) > room:
        yield text
        yield from wrapped(step.message, look.palette.muted, width, _MARK)
    else:
        yield text.append(f"  {to_one_line(step.message)}", look.palette.muted)


def _name(step: Step) -> str:
    """A step within an action stands below it: its key names both."""
    return f"{'  ' if '/' in step.key else ''}{to_one_line(step.title or step.key)}"


def _spent(step: Step, now: datetime) -> str:
    if step.state == "skipped":
        return ""
    return short_span(float(int(((step.finished_at or now) - step.started_at).total_seconds())))
