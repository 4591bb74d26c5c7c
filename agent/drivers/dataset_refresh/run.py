"""The code of `dataset-refresh`."""

from __future__ import annotations

from typing import Any

from agent.core.driving import RunContext
from agent.drivers.dataset_refresh.parameters import RefreshParameters
from agent.resources.datasets.refreshing import refresh


def run(context: RunContext, parameters: RefreshParameters) -> dict[str, Any]:
    grant = context.dataset(parameters.dataset)
    return refresh(
        context, grant, context.idempotency_key, parameters=parameters.parameters, counted=parameters.count_first
    )
