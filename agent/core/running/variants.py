"""A run as another type than its job's, or with other parameters, once."""

from __future__ import annotations

from typing import Any

from agent.core.driving import Manifest
from agent.core.permissions.rules import Act
from shared.models import JobInput

CLEAR = "clear"
"""The kind of run that removes what its job has brought in, and brings nothing."""


def act_of(kind: str) -> Act:
    """What whoever asks for a run of that kind does with its job."""
    return Act.EMPTY if kind == CLEAR else Act.RUN


def varied(manifest: Manifest, definition: JobInput, changes: dict[str, Any]) -> dict[str, Any]:
    """The definition's data, as far as the driver knows it, with the changes."""
    known = {name: value for name, value in definition.data.items() if name in manifest.parameters.model_fields}
    return {**known, **changes}
