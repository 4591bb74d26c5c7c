"""Parameters of `dataset-refresh`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.models.dataset import ParameterName, ParameterValue


class RefreshParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(min_length=1, max_length=200, description="Name of the dataset", examples=["orders"])
    parameters: dict[ParameterName, ParameterValue] = Field(
        {},
        description="Values for the query's `:names`, instead of the dataset's own",
        examples=[{"since": "2026-01-01"}],
    )
    count_first: bool = Field(
        True,
        description="Ask for the number of rows first, so that the progress has an end; it costs the source a count",
    )
