"""What is wrong with a definition is told once for each field, with what would be right."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, HttpUrl, ValidationError

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


class Odd(BaseModel):
    word: Annotated[str, Field(pattern="^[a-z]+$")] = ""
    several: Annotated[list[int], Field(min_length=1)] = [1]
    money: Decimal = Decimal(0)
    link: HttpUrl | None = None


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"word": "A"}, "word: should match pattern '^[a-z]+$'"),
        ({"several": []}, "several: should have at least 1 item after validation, not 0"),
        ({"money": "x"}, "money: should be a valid decimal"),
        ({"link": "ftp://x"}, "link: URL scheme should be 'http' or 'https'"),
    ],
)
def test_what_would_be_right_stands_behind_the_field_without_its_type(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Odd.model_validate(values)
    assert [f"{each.field}: {each.message}" for each in faults_in(refused.value, Odd, unknown="is none")] == [sentence]
