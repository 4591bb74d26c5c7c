"""An action in lines, and what a trial of it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from console.render.look import Look
from console.render.safe import to_one_line
from console.screens.actions.fields import label
from console.screens.create.fields import Option
from console.widgets.line import safe_text

if TYPE_CHECKING:
    from console.client.answers import ActionPreview

_LABEL_WIDTH = 14


def as_options(actions: Sequence[Mapping[str, Any]]) -> list[Option]:
    """A line each, with its number: names need not be there, nor be unique."""
    return [Option(f"{place}. {label(action)}", when(action)) for place, action in enumerate(actions, 1)]


def when(action: Mapping[str, Any]) -> str:
    kind = "" if label(action) == action.get("type") else f"{action.get('type')}, "
    after = "; if it fails, the run goes on" if action.get("on_error") == "continue" else ""
    return f"{kind}{'if ' + action['condition'] if action.get('condition') else 'always'}{after}"


def action_lines(action: Mapping[str, Any], look: Look, width: int) -> list[Text]:
    """All that it says."""
    attached = ", ".join(f"{each['name']} ({each['type']})" for each in action.get("attachments") or [])
    facts = {
        "type": action.get("type"), "only if": action.get("condition") or "always", "if it fails": action.get("on_error", "stop"),
        "attached": attached, **(action.get("data") or {}),
    }  # fmt: skip
    return [
        line
        for key, value in facts.items()
        if value not in (None, "", [], {})
        for line in _fact(key, value, look, width)
    ]


def preview_lines(told: ActionPreview, look: Look, width: int) -> list[Text]:
    """Whether it would run, what it would do, and why that cannot be told or would fail."""
    palette = look.palette
    lines = [safe_text(f"{told.name} ({told.type}): nothing was done", "bold"), Text()]
    based = "the results of the last run" if told.based_on_run_id else "no results: the job has not run yet"
    lines.append(safe_text(f"tried with {based}", palette.muted))
    if told.condition is not None:
        word = {True: "it would run", False: "it would be skipped", None: "nobody can tell yet"}[told.holds]
        style = palette.good if told.holds else palette.warning
        lines += _wrapped(f"{word}: {told.condition}", style, width)
    if told.problem:
        lines += [Text(), *_wrapped(told.problem, palette.bad, width)]
    if told.would:
        lines.append(Text())
        for key, value in told.would.items():
            lines += _fact(key, value, look, width)
    return lines


def _fact(key: str, value: Any, look: Look, width: int) -> Iterator[Text]:
    """Texts keep their lines."""
    head = f"{key.replace('_', ' ')[: _LABEL_WIDTH - 1]:<{_LABEL_WIDTH}}"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    rows = [part for row in shown.split("\n") for part in wrap(to_one_line(row), max(20, width - _LABEL_WIDTH)) or [""]]
    for place, row in enumerate(rows):
        yield Text(head if place == 0 else " " * _LABEL_WIDTH, look.palette.muted).append(row, "default")


def _wrapped(text: str, style: str, width: int) -> list[Text]:
    return [Text(row, style) for row in wrap(to_one_line(text), max(20, width))]
