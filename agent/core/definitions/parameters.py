"""`data` as a driver's parameters, and what they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.core.driving import Manifest, Needs
from shared.errors import InvalidInput
from shared.faults import faults_in


def parse_parameters(manifest: Manifest, data: Mapping[str, Any]) -> BaseModel:
    """`data` as the driver's model; InvalidInput with fields under `data`."""
    return parsed(manifest.parameters, data)


def parsed(model: type[BaseModel], data: Mapping[str, Any]) -> BaseModel:
    """InvalidInput with fields under `data`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(faults_in(error, model, "data", unknown="is not a known field")) from None


def needs_of(manifest: Manifest, data: Mapping[str, Any]) -> Needs:
    return manifest.needs(parse_parameters(manifest, data))
