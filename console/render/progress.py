"""How far a run is, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.amounts import amount, percent
from console.render.look import Look
from console.render.spans import short_span
from shared.states import RunState

if TYPE_CHECKING:  # the models load pydantic, which would delay the first frame by a third
    from shared.models.run import Progress, Run

_PERCENT_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Forecast:
    """`remaining` seconds (None: no way to tell); `late` seconds past what nine of ten runs of the job take."""

    elapsed: float
    remaining: float | None
    late: float | None


def forecast(run: Run, now: datetime) -> Forecast | None:
    """From the job's own history, and the more from the run's own pace the further it is; None unless it runs."""
    if run.state != RunState.RUNNING or run.started_at is None:
        return None
    elapsed = max(0.0, (now - run.started_at).total_seconds())
    over = elapsed - run.late_after_seconds if run.late_after_seconds is not None else 0.0
    return Forecast(elapsed, _remaining(run, elapsed), over if over > 0 else None)


def _remaining(run: Run, elapsed: float) -> float | None:
    share = fraction(run.progress)
    by_history = None if run.expected_seconds is None else max(0.0, run.expected_seconds - elapsed)
    by_pace = elapsed * (1 - share) / share if share else None
    if by_pace is None or share is None:
        return by_history or None
    return by_pace if by_history is None else share * by_pace + (1 - share) * by_history


def fraction(progress: Progress) -> float | None:
    """Done of total, 0 to 1; None while the total is not known."""
    if not progress.total or progress.total < 0:
        return None
    return max(0.0, min(1.0, progress.done / progress.total))


def bar(share: float, width: int, look: Look, style: str | None = None) -> Text:
    """Exactly `width` cells; full only when all is done."""
    glyphs, parts = look.glyphs, len(look.glyphs.bar_parts) + 1
    steps = int(max(0.0, min(1.0, share)) * width * parts)
    whole, part = divmod(steps, parts)
    text = Text(glyphs.bar * whole, style or look.palette.bar)
    if part:
        text.append(glyphs.bar_parts[part - 1], style or look.palette.bar)
    return text.append(glyphs.track * (width - len(text)), look.palette.track)


def progress_bar(run: Run, width: int, look: Look) -> Text:
    """Bar and percent in `width` cells; while the total is not known, how much is done (`1.2k rows`)."""
    share = fraction(run.progress)
    if share is None:
        done = amount(run.progress.done, run.progress.unit) if run.progress.done else ""
        return Text(done[:width].ljust(width), look.palette.muted)
    shown = percent(run.progress.done, run.progress.total).rjust(_PERCENT_WIDTH)
    if width <= _PERCENT_WIDTH:
        return Text(shown[-width:].rjust(width))
    return bar(share, width - _PERCENT_WIDTH, look).append(shown)


def eta(run: Run, now: datetime, look: Look) -> Text:
    """`1m 20s` left, or `late 3m`; `~` before what has to be guessed; empty unless it runs."""
    view = forecast(run, now)
    if view is None:
        return Text("")
    if view.late is not None:
        return Text(f"late {short_span(view.late)}", look.palette.late)
    if view.remaining is None:
        return Text("")
    return Text(f"{'~' if fraction(run.progress) is None else ''}{short_span(view.remaining)}")
