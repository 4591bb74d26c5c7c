"""Parameters of `import`."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.resources.datasets.places import check_relative
from agent.resources.datasets.wishes import Text, check_delimiter

Format = Literal["csv", "jsonl", "parquet"]
Type = Literal["boolean", "integer", "float", "decimal", "text", "bytes", "date", "time", "timestamp", "moment", "uuid"]
_FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip


class ImportParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Below the data folder's `exports`, or an absolute one below a configured root",
        examples=["incoming/orders.csv"],
    )
    format: Format | None = Field(None, description="Left out: by the end of the file's name")
    table: Text | None = Field(None, description="`connection.table`: rows are added there", examples=["shop.orders"])
    dataset: Text | None = Field(None, description="Name of a dataset: the file becomes its next snapshot")
    mode: Literal["insert", "upsert"] = Field(
        "insert", description="`upsert`: rows whose key is there already are replaced"
    )
    key_columns: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="What tells rows apart in an upsert; left out: the table's primary key"
    )
    columns: dict[Text, Text] | None = Field(
        None, description="The file's columns by the names of the target's; left out: all, by their own names",
        examples=[{"Order No": "id"}],
    )  # fmt: skip
    types: dict[Text, Type] = Field(
        {}, description="For a dataset: types of the file's columns, where the file does not say them (CSV: text)",
        examples=[{"price": "decimal"}],
    )  # fmt: skip
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="Between the fields of CSV")
    batch_size: int = Field(2000, ge=1, le=50_000, description="Rows written in one transaction")
    max_errors: int = Field(0, ge=0, description="So many rows may be bad; one more fails the run")

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, file: str) -> str:
        return check_relative(file)

    @field_validator("delimiter")
    @classmethod
    def _can_part(cls, delimiter: str) -> str:
        return check_delimiter(delimiter)

    @field_validator("table")
    @classmethod
    def _names_a_connection(cls, table: str | None) -> str | None:
        if table is not None and not all(part.strip() for part in table.partition(".")):
            raise ValueError(f"{table!r} is not '<connection>.<table>'")
        return table

    @model_validator(mode="after")
    def _fits_together(self) -> ImportParameters:
        if bool(self.table) == bool(self.dataset):
            raise ValueError("name one of `table`, `dataset`")
        if self.dataset and (self.mode == "upsert" or self.key_columns):
            raise ValueError("a file becomes a dataset's snapshot as it is; `mode` and `key_columns` are for tables")
        if self.table and self.types:
            raise ValueError("the table says the types of its columns; `types` is for datasets")
        if self.key_columns and self.mode == "insert":
            raise ValueError("`key_columns` are for the mode `upsert`")
        if self.format is None and PurePosixPath(self.file).suffix.lower() not in _FORMATS:
            raise ValueError(f"say the `format`: the name {self.file!r} does not end in one of {', '.join(_FORMATS)}")
        return self

    @property
    def kind(self) -> Format:
        return self.format or _FORMATS[PurePosixPath(self.file).suffix.lower()]
