"""The code of `import`."""

from __future__ import annotations

from typing import Any

from agent.core.driving import RunContext
from agent.drivers.import_.parameters import ImportParameters
from agent.resources.datasets.importing import Arrival, into_dataset, into_table


def run(context: RunContext, parameters: ImportParameters) -> dict[str, Any]:
    arrival = Arrival(
        path=parameters.file,
        format=parameters.kind,
        delimiter=parameters.delimiter,
        columns=parameters.columns,
        batch_size=parameters.batch_size,
        max_errors=parameters.max_errors,
    )
    if parameters.dataset:
        return into_dataset(context, arrival, context.dataset(parameters.dataset), parameters.types)
    name, _, table = str(parameters.table).partition(".")
    upsert = parameters.mode == "upsert"
    return into_table(context, arrival, context.connection(name), table, upsert=upsert, keys=parameters.key_columns)
