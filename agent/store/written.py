"""Definitions as they are written, and what cannot be read of one: a newer Jobdeck may have written it, or its row is
damaged. Whatever that is, it is that job's trouble and nobody else's."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from shared.errors import InvalidInput, Unreadable
from shared.faults import faults_in
from shared.models import JobInput

NO_JSON = "its definition cannot be read: it is no JSON object"
_LONGEST = 300


def read_definition(written: Any, type_: str | None = None) -> JobInput:
    """`written`: the values, or the text that they could not be read from. `type_`: the job's, if it may differ.
    Unreadable says why."""
    if type_ is not None and isinstance(written, dict):
        written = {**written, "type": type_}
    try:
        return JobInput.model_validate_json(written) if isinstance(written, str) else JobInput.model_validate(written)
    except ValidationError as error:
        raise Unreadable(reason(error)) from None


def reason(error: ValidationError) -> str:
    faults = faults_in(error, JobInput, unknown="is not a field that this Jobdeck knows")
    return f"its definition cannot be read: {InvalidInput(faults).message[:_LONGEST]}"


def stand_in(name: str, type_: str) -> JobInput:
    """Of a run whose definition cannot be read: the policies of who says nothing."""
    return JobInput.model_construct(name=name, type=type_)
