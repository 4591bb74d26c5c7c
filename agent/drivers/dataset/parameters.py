"""Parameters of `dataset`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.resources.datasets.wishes import FileWish, Text
from shared.durations import Duration
from shared.models.dataset import ParameterName, ParameterValue


class DatasetParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    operation: Literal["refresh", "snapshot", "query", "export"] = Field(
        description="`refresh`: run its query, store the next snapshot; `snapshot`: the same, unless the latest is younger than"
        " `max_age`; `query`: rows as the step's result; `export`: files"
    )
    dataset: Text = Field(description="The job's alias for it, or its name", examples=["orders"])
    parameters: dict[ParameterName, ParameterValue] = Field(
        {}, description="refresh, snapshot: values for the query's `:names`, instead of the dataset's own"
    )
    max_age: Duration = Field(timedelta(0), description="snapshot: one that is younger is enough", examples=["1 hour"])
    sql: Annotated[str, Field(min_length=1, max_length=100_000)] | None = Field(
        None,
        description="query: one SELECT over the latest snapshot, a table of the dataset's name (or alias); left out: all rows",
        examples=["SELECT product, count(*) AS n FROM orders GROUP BY product ORDER BY n DESC"],
    )
    limit: int = Field(100, ge=1, le=1000, description="query: rows in the result at most")
    export: FileWish = Field(default_factory=FileWish, description="export: as in the job type `export`")

    @model_validator(mode="after")
    def _fits_together(self) -> DatasetParameters:
        fields = {"parameters": ("refresh", "snapshot"), "max_age": ("snapshot",), "sql": ("query",),
                  "limit": ("query",), "export": ("export",)}  # fmt: skip
        for name, operations in fields.items():
            if name in self.model_fields_set and self.operation not in operations:
                raise ValueError(f"`{name}` is for the operation {' or '.join(operations)}")
        return self
