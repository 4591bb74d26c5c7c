"""Definitions of jobs as text and as flags: TOML or JSON in, TOML out (JSON where TOML cannot say it)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.errors import Fault, InvalidInput
from shared.models import Job, JobInput


def check(values: dict[str, Any]) -> JobInput:
    """The values as a definition. InvalidInput names every field that is wrong."""
    try:
        return JobInput.model_validate(values)
    except ValidationError as error:
        raise InvalidInput([_fault(each) for each in error.errors()]) from error


def read(source: str, text: str) -> dict[str, Any]:
    """Parse the text of a definition; JSON begins with a brace. InvalidInput names the source and the place."""
    try:
        values = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput.one(source, f"is neither TOML nor JSON: {error}") from error
    return dict(values)


def read_file(path: Path) -> dict[str, Any]:
    try:
        return read(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("--file", f"{path} cannot be read: {error}") from error


def definition_of(job: Job) -> dict[str, Any]:
    """What can be edited of a job, without what only says that there is nothing."""
    values = job.model_dump(mode="json", by_alias=True, include=set(JobInput.model_fields))
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def write(values: dict[str, Any]) -> tuple[str, str]:
    """Text to edit and the ending of its file."""
    import tomli_w

    try:
        return tomli_w.dumps(_without_nulls(values), multiline_strings=True), ".toml"
    except (TypeError, ValueError):
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n", ".json"


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


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null. In Jobdeck's own fields leaving one out means the same; in a driver's parameters it may not."""
    parameters = [values.get("data", {}), *(action.get("data", {}) for action in values.get("actions", []))]
    if any(_has_null(each) for each in parameters):
        raise ValueError("null")
    pruned: dict[str, Any] = _prune(values)
    return pruned


def _prune(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _prune(inner) for name, inner in value.items() if inner is not None}
    return [_prune(inner) for inner in value] if isinstance(value, list) else value


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_has_null(inner) for inner in value)
    return value is None


def _fault(error: Any) -> Fault:
    field = ".".join(str(part) for part in error["loc"]) or "definition"
    message = "is not a field of a job" if error["type"] == "extra_forbidden" else str(error["msg"])
    return Fault(field, message, error.get("input"))
