"""One text and its values: TOML or JSON in, TOML out (JSON where TOML cannot say it)."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from shared.errors import InvalidInput
from shared.models import Draft, Job, JobInput


def read(source: str, text: str) -> dict[str, Any]:
    """The values of a text; JSON begins with a brace. InvalidInput names the source and the place."""
    try:
        values = json.loads(text) if is_json(text) else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput.one(source, f"is neither TOML nor JSON: {error}") from error
    except RecursionError as error:
        raise InvalidInput.one(source, "is nested too deeply") from error
    return dict(values)


def is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def definition_of(job: Job | Draft) -> dict[str, Any]:
    """What can be edited of a job or a draft, without what only says that there is nothing."""
    values = job.model_dump(mode="json", by_alias=True, include=set(JobInput.model_fields))
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def write(values: dict[str, Any]) -> tuple[str, str]:
    """The text of these values, and the ending of its file."""
    import tomli_w

    try:
        return tomli_w.dumps(_without_nulls(values), multiline_strings=True), ".toml"
    except (TypeError, ValueError):
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n", ".json"


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null. In Jobdeck's own fields leaving one out means the same; in a driver's parameters it may not."""
    jobs = values.get("jobs", [values])
    parameters = [part.get("data", {}) for job in jobs for part in (job, *job.get("actions", []))]
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
