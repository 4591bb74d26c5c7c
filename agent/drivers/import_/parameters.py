"""Parameters of `import`."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.resources.datasets.places import check_relative
from agent.resources.datasets.wishes import Text, check_delimiter, check_table

Format = Literal["csv", "jsonl", "parquet"]
Type = Literal["boolean", "integer", "float", "decimal", "text", "bytes", "date", "time", "timestamp", "moment", "uuid"]
_FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip
_OF_KNOWLEDGE = ("content_columns", "attribute_columns", "attributes_from", "origin", "remove_missing")


class ImportParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        None,
        description="Below the data folder's `exports`, or an absolute one below a configured root",
        examples=["incoming/orders.csv"],
    )
    attachment: Text | None = Field(None, description="Or the name of a file that is attached to the action")
    from_dataset: Text | None = Field(None, description="Or a dataset: its latest snapshot")
    format: Format | None = Field(None, description="Left out: by the end of the file's name")
    table: Text | None = Field(None, description="`connection.table`: rows are added there", examples=["shop.orders"])
    dataset: Text | None = Field(None, description="Name of a dataset: the file becomes its next snapshot")
    knowledge_base: Text | None = Field(None, description="Name of a knowledge base: each row once by its key")
    mode: Literal["insert", "upsert"] = Field(
        "insert", description="`upsert`: rows whose key is there already are replaced"
    )
    key_columns: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="What tells rows apart in an upsert; of a table, left out: its primary key"
    )
    content_columns: Annotated[list[Text], Field(min_length=1, max_length=500)] | None = Field(
        None, description="For a knowledge base: columns whose values, one a line, are the text that is embedded",
        examples=[["title", "body"]],
    )  # fmt: skip
    attribute_columns: Annotated[list[Text], Field(max_length=500)] | None = Field(
        None, description="Columns kept as attributes to filter by; left out: all simple ones that are no content"
    )
    attributes_from: Text | None = Field(
        None, description="A column whose values are JSON objects of attributes, as `export` of a knowledge base writes"
    )
    origin: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^.]+$")] = Field(
        "import", description="The name under which a knowledge base has the rows; without a dot, as tables have one"
    )
    remove_missing: bool = Field(
        False, description="Rows of this origin that the file does not have are removed, if none of its rows is bad"
    )
    columns: dict[Text, Text] | None = Field(
        None, description="The file's columns by the names of the target's; left out: all, by their own names",
        examples=[{"Order No": "id"}],
    )  # fmt: skip
    types: dict[Text, Type] = Field(
        {}, description="For a dataset or knowledge base: types of the file's columns, where the file does not say them (CSV: text)",
        examples=[{"price": "decimal"}],
    )  # fmt: skip
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="Between the fields of CSV")
    batch_size: int = Field(2000, ge=1, le=50_000, description="Rows written in one transaction")
    on_bad_row: Literal["fail", "skip"] | None = Field(
        None, description="`fail`: the first ends the run; `skip`: they are counted and left out; left out: `fail`, or"
        " `skip` where there are `max_errors`",
    )  # fmt: skip
    max_errors: int | None = Field(
        None, ge=0, description="So many rows may be bad; one more fails the run; left out, with `skip`: any number"
    )

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, file: str | None) -> str | None:
        return file if file is None else check_relative(file)

    @field_validator("delimiter")
    @classmethod
    def _can_part(cls, delimiter: str) -> str:
        return check_delimiter(delimiter)

    @field_validator("table")
    @classmethod
    def _names_a_connection(cls, table: str | None) -> str | None:
        return check_table(table)

    @model_validator(mode="after")
    def _fits_together(self) -> ImportParameters:
        _one_of(self, "file", "attachment", "from_dataset")
        _one_of(self, "table", "dataset", "knowledge_base")
        if self.dataset and (self.mode == "upsert" or self.key_columns):
            raise ValueError("a file becomes a dataset's snapshot as it is; `mode` and `key_columns` are for tables")
        if self.table and self.types:
            raise ValueError("the table says the types of its columns; `types` is for datasets and knowledge bases")
        if self.table and self.key_columns and self.mode == "insert":
            raise ValueError("`key_columns` are for the mode `upsert`")
        if self.on_bad_row == "fail" and self.max_errors:
            raise ValueError("`on_bad_row` is `fail`, and `max_errors` lets rows be bad; leave one of them out")
        if self.from_dataset is None and self.format is None and self._ending not in _FORMATS:
            raise ValueError(f"say the `format`: the name {self.named!r} does not end in one of {', '.join(_FORMATS)}")
        self._fits_knowledge()
        return self

    def _fits_knowledge(self) -> None:
        if self.knowledge_base is None:
            given = [name for name in _OF_KNOWLEDGE if name in self.model_fields_set]
            if given:
                raise ValueError(f"`{given[0]}` is for a `knowledge_base`")
            return
        missing = [name for name in ("key_columns", "content_columns") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a knowledge base needs `{missing[0]}`: which of the file's columns they are")
        if self.mode == "insert" and "mode" in self.model_fields_set:
            raise ValueError("in a knowledge base each row is once by its key: `mode` is always `upsert`")

    @property
    def named(self) -> str:
        """What it is read from."""
        return str(self.file or self.attachment or self.from_dataset)

    @property
    def kind(self) -> Format:
        return "parquet" if self.from_dataset else self.format or _FORMATS[self._ending]

    @property
    def most_errors(self) -> int | None:
        """So many rows may be bad; None: any number."""
        return self.max_errors if self.on_bad_row == "skip" else self.max_errors or 0

    @property
    def _ending(self) -> str:
        return PurePosixPath(self.named).suffix.lower()


def _one_of(parameters: ImportParameters, *names: str) -> None:
    if sum(getattr(parameters, name) is not None for name in names) != 1:
        raise ValueError(f"name one of {', '.join(f'`{name}`' for name in names)}")
