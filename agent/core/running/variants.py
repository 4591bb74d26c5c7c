"""A run as another type than its job's, or with other parameters, once."""

from __future__ import annotations

from typing import Any

from agent.core.driving import Manifest
from shared.models import JobInput


def varied(manifest: Manifest, definition: JobInput, changes: dict[str, Any]) -> dict[str, Any]:
    """The definition's data, as far as the driver knows it, with the changes."""
    known = {name: value for name, value in definition.data.items() if name in manifest.parameters.model_fields}
    return {**known, **changes}
