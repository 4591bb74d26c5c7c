"""Parameters of `snapshot-cleanup`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.durations import Duration

DatasetName = Annotated[str, Field(min_length=1, max_length=200)]


class CleanupParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    datasets: Annotated[list[DatasetName], Field(min_length=1, max_length=100)] = Field(
        description="Names of the datasets", examples=[["orders"]]
    )
    keep_count: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="How many of the newest stay", examples=[5]
    )
    keep_age: Duration | None = Field(None, description="Older ones go; the latest stays always", examples=["30 days"])

    @model_validator(mode="after")
    def _says_what_goes(self) -> CleanupParameters:
        if self.keep_count is None and self.keep_age is None:
            raise ValueError("say what stays: `keep_count`, `keep_age` or both")
        return self
