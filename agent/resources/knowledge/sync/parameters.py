"""What says which rows of which table become a knowledge base's content."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.durations import parse_duration

ColumnName = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[list[ColumnName], Field(min_length=1, max_length=500)]


class TableParameters(BaseModel):
    """The fields that every job from a table to a knowledge base has."""

    model_config = ConfigDict(extra="forbid")

    source_table: str = Field(
        description="`connection.table` or `connection.schema.table`; the first dot ends the connection's name",
        examples=["orders_db.orders"],
    )
    knowledge_base: str = Field(min_length=1, description="Name of the knowledge base", examples=["orders_kb"])
    content_columns: Columns = Field(
        description="Columns whose values, one a line, are the text that is embedded and searched",
        examples=[["product", "description"]],
    )
    filter_column: ColumnName = Field(
        description="A column that advances with every change: a timestamp, a number, a text that sorts",
        examples=["updated_at"],
    )
    key_columns: Columns | None = Field(
        None, description="Columns that tell rows apart; needed where the table has no primary key"
    )
    attribute_columns: Annotated[list[ColumnName], Field(max_length=500)] | None = Field(
        None, description="Columns kept as attributes to filter by; left out: all simple ones that are no content"
    )
    batch_size: int = Field(2000, ge=1, le=10_000, description="Rows read, embedded and committed at once")

    @field_validator("source_table")
    @classmethod
    def _names_a_connection(cls, text: str) -> str:
        connection, _, table = text.partition(".")
        if not connection.strip() or not table.strip(". "):
            raise ValueError(f"{text!r} is not '<connection>.<table>'")
        return text

    @field_validator("content_columns", "key_columns", "attribute_columns")
    @classmethod
    def _each_once(cls, names: list[str] | None) -> list[str] | None:
        if names and len(set(names)) < len(names):
            raise ValueError("names a column twice")
        return names

    @property
    def connection(self) -> str:
        return self.source_table.partition(".")[0]

    @property
    def table(self) -> str:
        return self.source_table.partition(".")[2]


class SyncParameters(TableParameters):
    """Parameters of `kb-sync`."""

    compare: Literal["watermark", "full"] = Field(
        "watermark",
        description="`watermark`: rows whose filter value advanced; `full`: keys and content of the whole table, "
        "rows without a filter value and deletions included",
    )
    lag: str | int | float | None = Field(
        None,
        description="How far before the watermark each run starts: a span of time for timestamps and dates "
        "(left out: 5 minutes), a number for numbers (left out: 0)",
        examples=["5 minutes"],
    )

    @field_validator("lag")
    @classmethod
    def _is_a_lag(cls, lag: str | float | None) -> str | float | None:
        if isinstance(lag, str):
            parse_duration(lag)
        elif lag is not None and not 0 <= lag < float("inf"):
            raise ValueError(f"{lag!r} is not a number that is 0 or more")
        return lag

    def parsed_lag(self) -> timedelta | float | None:
        return parse_duration(self.lag) if isinstance(self.lag, str) else self.lag


class ResetParameters(TableParameters):
    """Parameters of `kb-reset`."""

    mode: Literal["rebuild", "refresh", "clear"] = Field(
        "rebuild",
        description="`rebuild`: make the content anew and swap it in at the end; `refresh`: read every row again "
        "into the content that is there; `clear`: empty it",
    )
