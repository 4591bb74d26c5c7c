"""What is known of a run, or of a cause, in lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.model.estimates import elapsed, is_late
from console.render.amounts import count
from console.render.causes import cause_text, cause_under_by
from console.render.look import Look
from console.render.spans import clock_time, short_span
from console.render.states import state_text
from console.render.values import plain
from console.screens.runs.cells import what
from console.widgets.line import safe_text

if TYPE_CHECKING:
    from shared.models import Run

_KEY = 11


def describe_run(run: Run, now: datetime, look: Look, undo: str, *, wide: bool) -> list[Text]:
    """Two lines where there is no room for more: what it says, and where it stands."""
    return _wide(run, now, look) if wide else _narrow(run, now, look, undo)


def describe_cause(runs: Sequence[Run], number: int, now: datetime, look: Look, *, wide: bool) -> list[Text]:
    newest, jobs = runs[0], sorted({run.job_name for run in runs})
    told = Text(f"{count(number, 'failure')} of one cause  ", f"bold {look.palette.bad}")
    message = safe_text(newest.error.message if newest.error else "no error was told", look.palette.bad)
    if not wide:
        return [message, told.append_text(safe_text(", ".join(jobs), look.palette.muted))]
    first, last = runs[-1], runs[0]
    span = f"{clock_time(first.created_at, now)} to {clock_time(last.created_at, now)}"
    return [told, Text(), message, Text(), _pair("when", span, look), _pair("jobs", ", ".join(jobs), look)]


def _narrow(run: Run, now: datetime, look: Look, undo: str) -> list[Text]:
    lead = safe_text(run.error.message, look.palette.bad) if run.error else what(run, now, look, undo)
    facts = [f"#{run.number}", cause_text(run.cause), f"attempt {max(run.attempt, 1)}/{run.max_attempts}"]
    if run.started_at:
        facts.append(f"started {clock_time(run.started_at, now)}")
    if run.original_run_id:
        facts.append("a rerun")
    facts.append(run.id)
    return [lead, safe_text(" · ".join(facts), look.palette.muted)]


def _wide(run: Run, now: datetime, look: Look) -> list[Text]:
    lines = [safe_text(run.job_name, "bold"), _state(run, now, look), Text()]
    if run.error is not None:
        lines += [safe_text(run.error.message, look.palette.bad), _pair("kind", run.error.kind, look), Text()]
    if run.waiting_for:
        lines.append(_pair("waits for", run.waiting_for, look))
    lines += [_pair(key, text, look) for key, text in _facts(run, now) if text]
    lines += [safe_text(f"! {warning}", look.palette.warning) for warning in run.warnings]
    if run.result:
        lines += [Text(), *(_pair(key, value, look) for key, value in run.result.items())]
    return lines


def _state(run: Run, now: datetime, look: Look) -> Text:
    is_cancelling = run.cancel_requested_at is not None and run.cancel_due_at is None
    text = state_text(run.state, look, cancelling=is_cancelling)
    return text.append("  late", look.palette.late) if is_late(run, now) else text


def _facts(run: Run, now: datetime) -> list[tuple[str, str]]:
    done, total = run.progress.done, run.progress.total
    spent = elapsed(run, now)
    usual = f"usually {short_span(run.expected_seconds)}" if run.expected_seconds else ""
    return [
        ("progress", f"{done:,}{f' of {total:,}' if total else ''} {run.progress.unit}".strip() if done or total else ""),
        ("note", run.progress.note),
        ("took" if run.finished_at else "running", " ".join(filter(None, (short_span(spent), usual and f"({usual})"))) if spent else ""),
        ("due", clock_time(run.fire_at, now) if run.fire_at else ""),
        ("created", clock_time(run.created_at, now)),
        ("started", clock_time(run.started_at, now) if run.started_at else ""),
        ("finished", clock_time(run.finished_at, now) if run.finished_at else ""),
        ("by", cause_under_by(run.cause)),
        ("attempt", f"{run.attempt} of {run.max_attempts}" if run.attempt else ""),
        ("type", run.type),
        ("revision", str(run.revision)),
        ("limit", run.concurrency_key or ""),
        ("worker", run.worker_id or ""),
        ("rerun of", run.original_run_id or ""),
        ("number", f"#{run.number}"),
        ("id", run.id),
    ]  # fmt: skip


def _pair(key: str, value: object, look: Look) -> Text:
    return Text(f"{key:<{_KEY - 1}} ", look.palette.muted).append_text(safe_text(plain(value)))
