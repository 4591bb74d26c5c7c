"""What is wrong with a definition is told once for each field, with what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agent.drivers.command.manifest import MANIFEST
from shared.faults import faults_in
from shared.models import JobInput

NAMED = {"name": "Backup", "type": "command"}


def told(values: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        JobInput.model_validate(values)
    return [f"{each.field}: {each.message}" for each in faults_in(refused.value, JobInput, unknown="is none")]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"timezon": "UTC"}, "timezon: is none; did you mean 'timezone'?"),
        ({"policies": {"timout": "3 s"}}, "policies.timout: is none; did you mean 'timeout'?"),
        ({"policies": {"retry": {"often": 3}}}, "policies.retry.often: is none; there are attempts, backoff, max_backoff"),
        ({"policies": {"overlap": "skp"}}, "policies.overlap: should be 'skip', 'queue_one', 'queue_all', 'cancel_running' or 'allow'"),
    ],
)  # fmt: skip
def test_a_field_that_is_none_is_told_with_those_that_are(more: dict[str, Any], sentence: str) -> None:
    assert told(NAMED | more) == [sentence]


def test_alternatives_are_one_mistake() -> None:
    with pytest.raises(ValidationError) as refused:
        MANIFEST.parameters.model_validate({"command": True, "cmd": 1})
    assert [f"{each.field}: {each.message}" for each in faults_in(refused.value, MANIFEST.parameters, "data", unknown="is none")] == [
        "data.command: should be a valid string, or a valid list",
        "data.cmd: is none; did you mean 'cwd'?",
    ]  # fmt: skip
