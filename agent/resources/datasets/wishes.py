"""How files are asked for: the parameters that the job type `export` and the action `dataset` share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent.resources.datasets.exporting import Wish
from agent.resources.datasets.formats import Style
from agent.resources.datasets.names import check_template
from agent.resources.datasets.places import check_relative

Text = Annotated[str, Field(min_length=1, max_length=200)]


class FileWish(BaseModel):
    model_config = ConfigDict(extra="forbid")

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
        description="CSV: `defuse` puts an apostrophe before texts that a spreadsheet would run as formulas; an import"
        " does not take it away",
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
        return check_delimiter(delimiter)

    def wish(self, name: str) -> Wish:
        """`name`: what `{name}` stands for."""
        return Wish(
            style=Style(self.format, self.delimiter, self.formulas == "defuse"),
            folder=self.folder,
            file=self.file or f"{{name}}-{{date}}.{self.format}",
            name=name,
            columns=self.columns,
            rows_per_file=self.rows_per_file,
            replace=self.if_exists == "replace",
        )


def check_delimiter(delimiter: str) -> str:
    """ValueError for what cannot stand between fields."""
    if delimiter in '"\r\n\0' or not delimiter.isascii():
        raise ValueError(f"{delimiter!r} cannot part fields; take ',', ';', '|' or a tab")
    return delimiter


def check_table(table: str | None) -> str | None:
    """ValueError for what names no table of a connection."""
    if table is not None and not all(part.strip() for part in table.partition(".")):
        raise ValueError(f"{table!r} is not '<connection>.<table>'")
    return table
