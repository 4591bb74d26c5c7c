"""Parameters of `export`."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from agent.resources.datasets.wishes import FileWish, Text, check_table


class ExportParameters(FileWish):
    dataset: Text | None = Field(None, description="Name of a dataset: its latest snapshot", examples=["orders"])
    snapshot: Text | None = Field(None, description="Another snapshot of the dataset, by its id")
    table: Text | None = Field(None, description="`connection.table` or `connection.schema.table`")
    knowledge_base: Text | None = Field(None, description="Name of a knowledge base: keys, texts and attributes")

    @field_validator("table")
    @classmethod
    def _names_a_connection(cls, table: str | None) -> str | None:
        return check_table(table)

    @model_validator(mode="after")
    def _has_one_source(self) -> ExportParameters:
        given = [name for name in ("dataset", "table", "knowledge_base") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("name one of `dataset`, `table`, `knowledge_base`")
        if self.snapshot and not self.dataset:
            raise ValueError("`snapshot` is one of a `dataset`")
        return self

    @property
    def name(self) -> str:
        return str(self.dataset or self.knowledge_base or (self.table or "").rpartition(".")[2])
