"""Templates are checked in a process of their own, and not again while they are the same."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from agent.resources.templates import rendering
from agent.resources.templates.rendering import TemplateError, check_templates


def test_what_was_sound_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    really = subprocess.run

    def run(*words: Any, **options: Any) -> Any:
        asked.append(options["input"])
        return really(*words, **options)

    monkeypatch.setattr(rendering.subprocess, "run", run)
    monkeypatch.setattr(rendering, "_sound", set())
    monkeypatch.setattr(rendering, "_REMEMBERED", 1)
    for _ in range(3):
        check_templates({"text": "{{ job.name }}", "plain": "nothing in it"})
    assert len(asked) == 1
    for _ in range(2):
        with pytest.raises(TemplateError, match="unexpected"):
            check_templates({"text": "{{ job.name"})
    assert len(asked) == 3
    check_templates({"subject": "{{ job.name }}"})
    check_templates({"text": "{{ job.name }}"})
    assert len(asked) == 5
