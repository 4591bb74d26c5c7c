"""What a rebuild can be told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RebuildParameters(BaseModel):
    """Parameters of `corpus-rebuild-vector-index`."""

    model_config = ConfigDict(extra="forbid")

    knowledge_base: str = Field(min_length=1, description="Name of the knowledge base", examples=["orders_kb"])
    recall_floor: float = Field(
        0.95,
        gt=0,
        le=1,
        description="An index that finds a smaller part of the ten nearest rows is not taken: the run fails with "
        "`low_recall`, and the one that was there stays",
    )
    sample: int = Field(200, ge=20, le=2000, description="Questions by which the recall is measured")
    connectivity: int = Field(
        16, ge=4, le=64, description="Links of each row: more find better, and make the index larger"
    )
    expansion: int = Field(
        128, ge=16, le=1024, description="Rows kept in view while one is added: more find better, and build slower"
    )
    threads: int | None = Field(
        None, ge=1, le=256, description="Processor cores to build with; left out: all that it may use but one"
    )
