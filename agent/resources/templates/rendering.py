"""Renders templates (Jinja2, sandboxed) in a process of their own: one that goes on for ever, or fills the memory, ends
alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

from agent.core.driving import RunContext
from agent.resources.templates.limits import CPU_SECONDS, MEMORY, SECONDS

_REMEMBERED = 1000
_sound: set[bytes] = set()
"""Marks of templates that could be read."""
_COMMAND = [sys.executable, "-I", "-m", "agent.resources.templates.child"]


class TemplateError(Exception):
    """`template`: the name of the one that is wrong."""

    def __init__(self, template: str, message: str, line: int | None = None) -> None:
        super().__init__(f"{message} (line {line})" if line else message)
        self.template = template
        self.message = str(self)


def render(templates: Mapping[str, str], values: Mapping[str, Any], *, html: Collection[str] = ()) -> dict[str, str]:
    """Each by its name; those named in `html` escape what they insert. TemplateError."""
    plain = {name: text for name, text in templates.items() if not is_template(text)}
    rest = {name: text for name, text in templates.items() if name not in plain}
    rendered = _asked(rest, html, values)["rendered"] if rest else {}
    return {name: plain[name] if name in plain else rendered[name] for name in templates}


def check_templates(templates: Mapping[str, str]) -> None:
    """TemplateError where one cannot be read. What was sound is not asked again: a job is checked whenever anything of it
    changes, and each question is a process."""
    rest = {name: text for name, text in templates.items() if is_template(text)}
    mark = sha256(json.dumps(rest, sort_keys=True).encode()).digest()
    if rest and mark not in _sound:
        _asked(rest, (), None)
        if len(_sound) >= _REMEMBERED:
            _sound.clear()
        _sound.add(mark)


def is_template(text: str) -> bool:
    """Whether there is anything to render in it."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def values_of(context: RunContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """What templates speak of: `job`, `run`, `results` and `states` (by action id or name, the job's own driver as
    `main`), `params`."""
    states = {step: done.state for step, done in context.steps}
    names = {name: states[step] for name, step in context.steps.names.items() if step in states}
    return {
        "job": {"id": context.job_id, "name": context.job_name},
        "run": {"id": context.run_id, "attempt": context.attempt},
        "results": context.steps.results(),
        "states": {**names, **states},
        "params": dict(params),
    }


def _asked(templates: Mapping[str, str], html: Collection[str], values: Mapping[str, Any] | None) -> dict[str, Any]:
    task = {"templates": dict(templates), "html": list(html), "values": values}
    first = next(iter(templates))
    try:
        done = subprocess.run(  # noqa: S603 (its own interpreter and module)
            _COMMAND, input=json.dumps(task, default=str).encode(), capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise TemplateError(first, f"it takes longer than {SECONDS:g} s") from None
    if done.returncode < 0:
        raise TemplateError(first, f"it takes more than {CPU_SECONDS} s or {MEMORY // 2**20} MiB")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise TemplateError(first, "it could not be rendered within its bounds") from None
    if (fault := answer.get("fault")) is not None:
        raise TemplateError(fault["template"], fault["message"], fault["line"])
    return answer
