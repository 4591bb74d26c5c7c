"""The code of `import`."""

from __future__ import annotations

from typing import Any

from agent.core.driving import RunContext
from agent.drivers.import_.parameters import ImportParameters
from agent.resources.datasets.arrival import Arrival
from agent.resources.datasets.articles import Content
from agent.resources.datasets.importing import into_dataset, into_table
from agent.resources.datasets.into_knowledge import into_knowledge


def run(context: RunContext, parameters: ImportParameters) -> dict[str, Any]:
    arrival = Arrival(
        origin="attachment" if parameters.attachment else "dataset" if parameters.from_dataset else "file",
        name=parameters.named,
        format=parameters.kind,
        delimiter=parameters.delimiter,
        columns=parameters.columns,
        batch_size=parameters.batch_size,
        max_errors=parameters.most_errors,
    )
    if parameters.dataset:
        return into_dataset(context, arrival, context.dataset(parameters.dataset), parameters.types)
    if parameters.knowledge_base:
        return into_knowledge(
            context,
            arrival,
            context.knowledge_base(parameters.knowledge_base),
            _content(parameters),
            origin=parameters.origin,
            remove_missing=parameters.remove_missing,
        )
    name, _, table = str(parameters.table).partition(".")
    upsert = parameters.mode == "upsert"
    return into_table(context, arrival, context.connection(name), table, upsert=upsert, keys=parameters.key_columns)


def _content(parameters: ImportParameters) -> Content:
    return Content(
        keys=parameters.key_columns or (),
        texts=parameters.content_columns or (),
        attributes=parameters.attribute_columns,
        nested=parameters.attributes_from,
        types=parameters.types,
    )
