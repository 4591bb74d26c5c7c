"""Definitions of jobs from files and from flags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.definitions import read
from shared.errors import InvalidInput
from shared.faults import faults_in
from shared.models import DraftInput, JobInput

_UNKNOWN = "is not a field of a job"


def check(values: dict[str, Any]) -> JobInput:
    """The values as a definition. InvalidInput names every field that is wrong."""
    try:
        return JobInput.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(faults_in(error, JobInput, unknown=_UNKNOWN)) from error


def check_draft(values: dict[str, Any]) -> DraftInput:
    """The same for what need not be finished."""
    try:
        return DraftInput.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(faults_in(error, DraftInput, unknown=_UNKNOWN)) from error


def read_file(path: Path) -> dict[str, Any]:
    try:
        return read(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("--file", f"{path} cannot be read: {_why(error)}") from error


def assign(target: dict[str, Any], field: str, settings: Sequence[str]) -> None:
    """Put every `key=value` (dots go deeper) into `target`; values are JSON where they read as such, else text."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not all(key.split(".")):
            raise InvalidInput.one(field, "write key=value, as in table=orders or retry.attempts=3", setting)
        *path, last = key.split(".")
        place = target
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise InvalidInput.one(field, f"'{part}' has a value already, so nothing can stand inside it", setting)
        place[last] = _value(text)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _why(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "it is not text in UTF-8"
