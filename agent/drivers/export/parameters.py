"""Parameters of `export`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.resources.datasets.names import check_template
from agent.resources.datasets.places import check_relative

Text = Annotated[str, Field(min_length=1, max_length=200)]
_SUFFIXES = {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet"}


class ExportParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: Text | None = Field(None, description="Name of a dataset: its latest snapshot", examples=["orders"])
    snapshot: Text | None = Field(None, description="Another snapshot of the dataset, by its id")
    table: Text | None = Field(None, description="`connection.table` or `connection.schema.table`")
    knowledge_base: Text | None = Field(None, description="Name of a knowledge base: keys, texts and attributes")
    format: Literal["csv", "jsonl", "parquet"] = Field("csv", description="Of the files")
    folder: Annotated[str, Field(max_length=1000)] = Field(
        "",
        description="Below the data folder's `exports`, or an absolute one below a configured root",
        examples=["daily"],
    )
    file: Annotated[str, Field(max_length=200)] | None = Field(
        None,
        description="Name of the file; `{date}`, `{time}` (UTC), `{name}`, `{job}`, `{run}`, `{part}` stand for what they say",
        examples=["orders-{date}.csv"],
    )
    columns: Annotated[list[Text], Field(min_length=1, max_length=2000)] | None = Field(
        None, description="Which columns, in this order; left out: all"
    )
    rows_per_file: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Begin another file after so many rows; left out: one file"
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="Between the fields of CSV")
    formulas: Literal["keep", "defuse"] = Field(
        "keep",
        description="CSV: `defuse` puts an apostrophe before texts that a spreadsheet would run as formulas; an import does"
        " not take it away",
    )
    if_exists: Literal["replace", "fail"] = Field("replace", description="What becomes of a file of that name")

    @field_validator("folder")
    @classmethod
    def _stays_inside(cls, folder: str) -> str:
        return check_relative(folder)

    @field_validator("file")
    @classmethod
    def _is_a_name(cls, file: str | None) -> str | None:
        return file if file is None else check_template(file)

    @field_validator("delimiter")
    @classmethod
    def _can_part(cls, delimiter: str) -> str:
        if delimiter in '"\r\n\0' or not delimiter.isascii():
            raise ValueError(f"{delimiter!r} cannot part fields; take ',', ';', '|' or a tab")
        return delimiter

    @field_validator("table")
    @classmethod
    def _names_a_connection(cls, table: str | None) -> str | None:
        if table is not None and not all(part.strip() for part in table.partition(".")):
            raise ValueError(f"{table!r} is not '<connection>.<table>'")
        return table

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

    @property
    def template(self) -> str:
        return self.file or f"{{name}}-{{date}}.{_SUFFIXES[self.format]}"
