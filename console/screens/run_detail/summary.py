"""A run in lines: two on top that are always there, then what there is to know of it, most needed first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from console.render.causes import cause_text
from console.render.look import Look
from console.render.safe import to_one_line
from console.render.spans import clock_time, short_span
from console.render.states import state_mark, state_text
from console.render.values import plain
from console.screens.run_detail.facts import Facts
from console.screens.run_detail.lines import INDENT, title, wrapped
from console.screens.run_detail.steps import step_lines
from console.screens.run_detail.wording import is_cancelling, standing, took
from shared.states import RunState

if TYPE_CHECKING:
    from console.client.answers import Attempt
    from shared.models import Run

_STEP_STATES = {state.value: state for state in RunState}
_MOST_RESULTS = 30
_BESIDE_MESSAGE = 20
"""Cells that the second line on top needs beside an error; a message that fits there is not repeated."""


def head(run: Run, now: datetime, look: Look, undo: str) -> tuple[Text, Text]:
    """State, number, job, attempt, cause and revision; then where it stands."""
    first = Text(" ", no_wrap=True)
    first.append_text(state_text(run.state, look, cancelling=is_cancelling(run)))
    first.append(f"  #{run.number}  ").append(to_one_line(run.job_name), "bold")
    if run.attempt:
        first.append(f"  attempt {run.attempt} of {run.max_attempts}")
    first.append(f"  {cause_text(run.cause)}  rev {run.revision}", look.palette.muted)
    return first, Text(" ", no_wrap=True).append_text(standing(run, now, look, undo))


def head_right(run: Run, now: datetime, look: Look) -> tuple[Text, Text]:
    """How long it takes; then when it ended. What stands before them is cut for them."""
    ended = f"ended {clock_time(run.finished_at, now)} " if run.finished_at else ""
    return Text(f"{took(run, now)} ", look.palette.muted), Text(ended, look.palette.muted)


def lines(facts: Facts, now: datetime, look: Look, width: int) -> list[Text]:
    """All that there is to say, each line at most `width` wide."""
    run = facts.run
    parts = [
        *_error(run, look, width),
        *_unlike(facts, look),
        *_warnings(run, look, width),
        *step_lines(facts.steps, now, look, width),
        *_result(facts, look, width),
        *_attempts(facts, now, look, width),
        *_origin(facts, now, look),
        *_times(run, now, look),
    ]
    for line in parts:
        line.truncate(max(1, width), overflow="ellipsis")
    return parts


def _error(run: Run, look: Look, width: int) -> Iterator[Text]:
    if run.error is None:
        return
    kind = "may pass" if run.error.transient else "will not pass of itself"
    yield (
        title("Error")
        .append(f"  {to_one_line(run.error.kind)}, {kind}", look.palette.muted)
        .append(f"  fingerprint {run.error.fingerprint[:12]}" if run.error.fingerprint else "", look.palette.muted)
    )
    if len(run.error.message) > width - _BESIDE_MESSAGE:
        yield from wrapped(run.error.message, look.palette.bad, width)


def _unlike(facts: Facts, look: Look) -> Iterator[Text]:
    if facts.unlike:
        words = ", ".join(kind.replace("_", " ") for kind in facts.unlike)
        yield title("Its job").append(f"  is {words}", look.palette.warning)


def _warnings(run: Run, look: Look, width: int) -> Iterator[Text]:
    for warning in run.warnings:
        for place, line in enumerate(wrapped(warning, look.palette.warning, width)):
            yield Text("! " if place == 0 else "  ", look.palette.warning).append_text(line[INDENT:])


def _result(facts: Facts, look: Look, width: int) -> Iterator[Text]:
    """Without what its actions brought, where the steps tell it."""
    told = {name: value for name, value in (facts.run.result or {}).items() if name != "actions" or not facts.steps}
    if not told:
        return
    yield title("Result")
    for name, value in list(told.items())[:_MOST_RESULTS]:
        yield Text(f"  {to_one_line(str(name))}: ", look.palette.muted).append(_value(value, width))
    if len(told) > _MOST_RESULTS:
        yield Text(f"  and {len(told) - _MOST_RESULTS} more", look.palette.muted)


def _value(value: Any, width: int) -> str:
    return to_one_line(plain(value)[: width * 4])


def _attempts(facts: Facts, now: datetime, look: Look, width: int) -> Iterator[Text]:
    told = [attempt for attempt in facts.attempts if len(facts.attempts) > 1 or attempt.evidence]
    if told:
        yield title("Attempts")
    for attempt in told:
        yield _attempt(attempt, now, look)
        for evidence in attempt.evidence or ():
            yield from wrapped(f"late: {_value(evidence, width)}", look.palette.warning, width)


def _attempt(attempt: Attempt, now: datetime, look: Look) -> Text:
    state = _STEP_STATES.get(attempt.outcome or "running")
    text = Text(f"  {attempt.attempt} ").append_text(state_mark(state, look) if state else Text("    "))
    text.append(attempt.outcome or "running")
    if attempt.claimed_at:
        spent = (attempt.ended_at or now) - attempt.claimed_at
        text.append(f"  {clock_time(attempt.claimed_at, now)}  {short_span(float(int(spent.total_seconds())))}")
    return text.append(f"  {to_one_line(attempt.error.message)}" if attempt.error else "", look.palette.bad)


def _origin(facts: Facts, now: datetime, look: Look) -> Iterator[Text]:
    run, original = facts.run, facts.original
    if run.original_run_id is None:
        return
    text = title("Rerun of").append("  ")
    if original is None:
        yield text.append(run.original_run_id).append(
            "  no longer kept" if run.original_gone else "", look.palette.muted
        )
        return
    text.append(f"#{original.number}  ").append_text(state_text(original.state, look))
    text.append(f"  {clock_time(original.created_at, now)}", look.palette.muted)
    yield text.append(f"  {to_one_line(original.error.message)}" if original.error else "", look.palette.muted)


def _times(run: Run, now: datetime, look: Look) -> Iterator[Text]:
    told = (("due", run.fire_at), ("asked", run.created_at), ("started", run.started_at), ("ended", run.finished_at))
    text = title("Times")
    for word, moment in told:
        if moment is not None:
            text.append(f"  {word} ", look.palette.muted).append(clock_time(moment, now))
    yield text
    key = f"  key {to_one_line(run.concurrency_key)}" if run.concurrency_key else ""
    yield Text("Run", "bold").append(f"  {run.id}  {to_one_line(run.type)}{key}", look.palette.muted)
