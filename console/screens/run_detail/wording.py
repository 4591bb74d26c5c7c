"""Where a run stands, in one sentence, and when that sentence will read differently."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from rich.text import Text

from console.model.estimates import elapsed, kill_in
from console.render.amounts import amount, short_count
from console.render.leaving import cancels_in, effect_changes_in
from console.render.look import Look
from console.render.progress import eta, fraction, progress_bar
from console.render.safe import to_one_line
from console.render.spans import countdown, seconds_to_change, short_span
from shared.states import FINAL, RunState

if TYPE_CHECKING:
    from shared.models import Run

_BAR_WIDTH = 24
_HOUR = 3600


def is_cancelling(run: Run) -> bool:
    """Asked to stop, and has not yet."""
    return run.cancel_requested_at is not None and run.cancel_due_at is None and run.state not in FINAL


def standing(run: Run, now: datetime, look: Look, undo: str) -> Text:
    """What happens with it now, or what became of it; `undo` is the key that takes a cancel back."""
    if run.cancel_due_at is not None:
        return Text(cancels_in(run.cancel_due_at, now, undo), f"bold {look.palette.cancelling}")
    if is_cancelling(run):
        return Text(_cancelling(run, now), f"bold {look.palette.cancelling}")
    match run.state:
        case RunState.PENDING:
            return Text(_pending(run, now), look.palette.muted)
        case RunState.RETRYING:
            return Text(f"attempt {run.attempt + 1} of {run.max_attempts} {countdown(run.available_at, now)}")
        case RunState.RUNNING:
            return _running(run, now, look)
    return _ended(run, look)


def seconds_to_next(run: Run, now: datetime) -> float | None:
    """Until `standing` or the time it takes reads differently; None: not by time alone."""
    if run.state in FINAL:
        return None
    if run.cancel_due_at is not None:
        return effect_changes_in(run.cancel_due_at, now)
    if is_cancelling(run) and (left := kill_in(run, now)):
        return left.total_seconds() % 1 or 1.0
    spent = elapsed(run, now)
    if spent is not None and run.state == RunState.RUNNING:
        seconds = spent.total_seconds()
        return 1 - seconds % 1 if seconds < _HOUR else 60 - seconds % 60
    return seconds_to_change(run.available_at, now)


def _cancelling(run: Run, now: datetime) -> str:
    left = kill_in(run, now)
    if left is None:
        return "cancel asked for"
    if left:
        return f"TERM sent, KILL in {ceil(left.total_seconds())} s"
    return "KILL sent; cancelled once none of its processes is left"


def _pending(run: Run, now: datetime) -> str:
    if run.available_at > now:
        return f"starts {countdown(run.available_at, now)}"
    return f"waits: {to_one_line(run.waiting_for)}" if run.waiting_for else "waits for a worker"


def _running(run: Run, now: datetime, look: Look) -> Text:
    text = Text()
    if fraction(run.progress) is not None:
        text.append_text(progress_bar(run, _BAR_WIDTH, look)).append("  ").append(_done(run))
    elif run.progress.done:
        text.append(_done(run))
    else:
        text.append("runs", look.palette.muted)
    left = eta(run, now, look)
    if left.plain:
        text.append("  ").append_text(left).append("" if left.plain.startswith("late") else " left")
    if run.progress.note:
        text.append(f"  {to_one_line(run.progress.note)}", look.palette.muted)
    return text


def _done(run: Run) -> str:
    progress = run.progress
    unit = to_one_line(progress.unit)
    if not progress.total:
        return amount(progress.done, unit)
    return f"{short_count(progress.done)}/{short_count(progress.total)} {unit}".rstrip()


def _ended(run: Run, look: Look) -> Text:
    if run.error is not None and run.state == RunState.FAILED:
        return Text(to_one_line(run.error.message), look.palette.bad)
    if run.state == RunState.CANCELLED and run.started_at:
        return Text("none of its processes is left", look.palette.muted)
    return Text(_done(run) if run.progress.done else "", look.palette.muted)


def took(run: Run, now: datetime) -> str:
    """How long it took, or has taken in whole seconds; empty before it starts."""
    spent = elapsed(run, now)
    if spent is None:
        return ""
    return short_span(spent if run.state in FINAL else float(int(spent.total_seconds())))
