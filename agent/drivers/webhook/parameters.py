"""Parameters of `webhook`."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator

from agent.resources.http.parameters import RequestParameters
from agent.resources.templates.limits import LONGEST


class WebhookParameters(RequestParameters):
    """Texts of `json`, and `text`, are templates. Neither: the run and its results as JSON."""

    params: dict[str, Any] = {}

    @model_validator(mode="after")
    def _is_not_too_long(self) -> Self:
        for place, text in texts_of(self).items():
            if len(text) > LONGEST:
                raise ValueError(f"{place} is {len(text)} characters long; at most {LONGEST} are read")
        return self


def texts_of(parameters: WebhookParameters) -> dict[str, str]:
    """Every text of the body by its place: `text`, `json.items.0.title`."""
    found: dict[str, str] = {} if parameters.text is None else {"text": parameters.text}
    _gather(parameters.json_, "json", found)
    return found


def filled(value: Any, place: str, texts: dict[str, str]) -> Any:
    """The JSON value with the texts at their places."""
    if isinstance(value, str):
        return texts[place]
    if isinstance(value, dict):
        return {key: filled(part, f"{place}.{key}", texts) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, f"{place}.{number}", texts) for number, part in enumerate(value)]
    return value


def _gather(value: Any, place: str, found: dict[str, str]) -> None:
    if isinstance(value, str):
        found[place] = value
    elif isinstance(value, dict):
        for key, part in value.items():
            _gather(part, f"{place}.{key}", found)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _gather(part, f"{place}.{number}", found)
