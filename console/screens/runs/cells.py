"""A run as a row of the list, and a cause of failures as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.model.estimates import elapsed, kill_in
from console.render.ages import age, due_in, seconds_to_next
from console.render.amounts import amount, count, short_count
from console.render.causes import cause_under_by
from console.render.leaving import cancels_in, effect_changes_in
from console.render.look import Look
from console.render.spans import short_span
from console.render.states import MARK_WIDTH, state_mark
from console.widgets.line import safe_text
from console.widgets.table import Column
from shared.states import FINAL, RunState

if TYPE_CHECKING:
    from shared.models import Run

COLUMNS = (
    Column("state", "S", MARK_WIDTH),
    Column("job", "Job", 18, flex=3),
    Column("what", "Progress / why", 22, flex=4),
    Column("took", "Took/left", 11, align="right", priority=1),
    Column("when", "Since", 10, align="right"),
    Column("type", "Type", 12, flex=1, priority=3),
    Column("number", "Number", 8, priority=4, align="right"),
    Column("cause", "By", 9, priority=5),
)
TIMED = ("what", "took", "when")
TRIAGE = "triage"
SORTS = ((TRIAGE, False), ("when", True), ("took", True), ("job", False))
_BAR = 6
"""With the percentage no wider than the column is at forty columns."""


def run_cells(run: Run, now: datetime, look: Look, *, is_member: bool, is_dimmed: bool, undo: str) -> Sequence[Text]:
    """One cell a column; `is_member`: it stands under its cause; `undo`: the key that takes a cancel back."""
    state = state_mark(run.state, look, cancelling=run.cancel_requested_at is not None)
    indent = "└ " if look.glyphs.bar_parts else "- "
    name = safe_text(run.job_name)
    job = Text(indent, look.palette.muted).append_text(name) if is_member else name
    cells = (
        state, job, what(run, now, look, undo), took(run, now, look), when(run, now, look),
        safe_text(run.type, look.palette.muted), Text(f"#{run.number}", look.palette.muted), Text(cause_under_by(run.cause), look.palette.muted),
    )  # fmt: skip
    for cell in cells if is_dimmed else ():
        cell.stylize("dim")
    return cells


def cause_cells(runs: Sequence[Run], number: int, now: datetime, look: Look, *, is_open: bool) -> Sequence[Text]:
    """`runs` are those that are known, newest first; `number` how many there are."""
    newest, jobs = runs[0], len({run.job_id for run in runs})
    sign = ("▾" if is_open else "▸") if look.glyphs.bar_parts else ("-" if is_open else "+")
    mark = Text(f"{look.glyphs.states[RunState.FAILED]} F{sign}", look.palette.bad)
    title = Text(f"{short_count(number)}× ", f"bold {look.palette.bad}")
    title.append_text(
        safe_text(newest.job_name if jobs == 1 else f"{newest.job_name} +{count(jobs - 1, 'job')}", "bold")
    )
    muted = look.palette.muted
    return (
        mark, title, _error(newest, look), Text(""), when(newest, now, look),
        safe_text(newest.type, muted), Text(f"#{newest.number}", muted), Text(""),
    )  # fmt: skip


def what(run: Run, now: datetime, look: Look, undo: str) -> Text:
    """How far it is, what it waits for, or why it ended as it did."""
    if run.cancel_due_at is not None:
        return Text(cancels_in(run.cancel_due_at, now, undo), look.palette.cancelling)
    match run.state:
        case RunState.RUNNING:
            return _progress(run, now, look)
        case RunState.FAILED:
            return _error(run, look)
        case RunState.PENDING | RunState.RETRYING:
            return _waits(run, now, look)
        case _:
            return _outcome(run, look)


def took(run: Run, now: datetime, look: Look) -> Text:
    """What is left of a running one (`~` where it has to be guessed), else how long it took."""
    from console.render.progress import eta

    if run.state is RunState.RUNNING:
        left = eta(run, now, look)
        spent = elapsed(run, now)
        return left if left or spent is None else Text(f"+{short_span(spent)}", look.palette.muted)
    spent = elapsed(run, now) if run.state in FINAL else None
    return Text("" if spent is None else short_span(spent), look.palette.muted)


def when(run: Run, now: datetime, look: Look) -> Text:
    """Since when it is what it is."""
    if run.state is RunState.PENDING and run.available_at > now:
        return Text(due_in(run.available_at, now))
    moment = run.finished_at or run.started_at or run.created_at
    return Text(age(moment, now), look.palette.muted)


def next_change(run: Run, now: datetime) -> float | None:
    """Seconds until a cell of it reads differently by time alone."""
    if run.state is RunState.RUNNING:
        return 1.0
    if run.cancel_due_at is not None:
        return effect_changes_in(run.cancel_due_at, now)
    return seconds_to_next(run.available_at if run.state in {RunState.PENDING, RunState.RETRYING} else None, now)


def _progress(run: Run, now: datetime, look: Look) -> Text:
    from console.render.progress import fraction, progress_bar

    if run.cancel_requested_at is not None:
        return _stopping(run, now, look)
    if fraction(run.progress) is None and not run.progress.done:
        return _guessed(run, now, look)
    text = progress_bar(run, _BAR + 4, look)
    note = run.progress.note or amount(run.progress.done, run.progress.unit)
    if fraction(run.progress) is None or run.progress.unit == "%":
        note = run.progress.note
    return text.append("  ").append_text(safe_text(note, look.palette.muted)) if note else text


def _guessed(run: Run, now: datetime, look: Look) -> Text:
    """It tells nothing of its progress: then its job's history has to."""
    from console.render.progress import bar

    spent, note = elapsed(run, now), safe_text(run.progress.note or "running", look.palette.muted)
    if not run.expected_seconds or spent is None:
        return note
    share = min(0.99, spent.total_seconds() / run.expected_seconds)
    text = bar(share, _BAR, look, look.palette.muted).append(f"~{share:.0%}".rjust(4), look.palette.muted)
    return text.append("  ").append_text(note) if run.progress.note else text


def _stopping(run: Run, now: datetime, look: Look) -> Text:
    left = kill_in(run, now)
    word = (
        "stopping"
        if left is None
        else f"stopping, KILL {'now' if left.total_seconds() < 1 else 'in ' + short_span(left)}"
    )
    return Text(word, look.palette.cancelling)


def _waits(run: Run, now: datetime, look: Look) -> Text:
    if run.state is RunState.RETRYING:
        due = f" {due_in(run.available_at, now)}" if run.available_at > now else ""
        text = Text(f"attempt {run.attempt + 1}/{run.max_attempts}{due} ", look.palette.warning)
        return text.append_text(safe_text(run.error.message, look.palette.muted)) if run.error else text
    if run.available_at > now:
        return Text("not due yet", look.palette.muted)
    return safe_text(f"waits: {run.waiting_for}" if run.waiting_for else "waits for a worker", look.palette.muted)


def _error(run: Run, look: Look) -> Text:
    if run.error is None:
        return Text("failed", look.palette.bad)
    return safe_text(run.error.message or run.error.kind, look.palette.bad)


def _outcome(run: Run, look: Look) -> Text:
    if run.warnings:
        return safe_text(f"{count(len(run.warnings), 'warning')}: {run.warnings[0]}", look.palette.warning)
    done = run.progress.done
    words = amount(done, run.progress.unit) if done else run.progress.note
    return safe_text(words, look.palette.muted)
