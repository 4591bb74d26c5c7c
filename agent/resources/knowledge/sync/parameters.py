"""What says which rows of which table become a knowledge base's content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.durations import parse_duration

MOST_STREAMS = 100
Made = TypeVar("Made")
ColumnName = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[list[ColumnName], Field(min_length=1, max_length=500)]


class Stream(BaseModel):
    """One table, and what of it becomes content."""

    model_config = ConfigDict(extra="forbid")

    source_table: str = Field(
        description="`connection.table` or `connection.schema.table`; the first dot ends the connection's name",
        examples=["orders_db.orders"],
    )
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


class TableParameters(Stream):
    """What there is to know for the work on one table."""

    knowledge_base: str = Field(min_length=1, description="Name of the knowledge base", examples=["orders_kb"])
    batch_size: int = Field(2000, ge=1, le=10_000, description="Rows read, embedded and committed at once")


class TableSync(TableParameters):
    """One table, brought up to date."""

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


class TableReset(TableParameters):
    """One table's content, made anew."""

    mode: Literal["rebuild", "refresh", "clear"] = Field(
        "rebuild",
        description="`rebuild`: make the content anew and swap it in at the end; `refresh`: read every row again "
        "into the content that is there; `clear`: empty it",
    )


_OF_STREAM = tuple(Stream.model_fields)
Streams = Annotated[list[Stream], Field(min_length=1, max_length=MOST_STREAMS)]
_NEEDED = tuple(name for name, field in Stream.model_fields.items() if field.is_required())
_STREAMS = "Several tables instead of one: what says which table and which columns stands in each"


def _of_one_or_several(schema: dict[str, Any]) -> None:
    """A stream's fields stand at the top, or in each of the streams; a form for one table has the first choice."""
    schema["required"] = [name for name in schema["required"] if name not in _NEEDED]
    schema["oneOf"] = [
        {"title": "One table", "required": list(_NEEDED), "properties": {"streams": {"type": "null"}}},
        {
            "title": "Several tables",
            "required": ["streams"],
            "properties": {"streams": {"type": "array"}, **dict.fromkeys(_OF_STREAM, False)},
        },
    ]


def _each_once(streams: list[Stream] | None) -> list[Stream] | None:
    names = [stream.source_table for stream in streams or ()]
    if len(set(names)) < len(names):
        raise ValueError("names a table twice")
    return streams


class SyncParameters(TableSync):
    """Parameters of `kb-sync`. With `streams`, the fields of one table are those of the first."""

    model_config = ConfigDict(json_schema_extra=_of_one_or_several)

    streams: Annotated[Streams | None, AfterValidator(_each_once)] = Field(None, description=_STREAMS)

    @model_validator(mode="wrap")
    @classmethod
    def _one_or_several(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return _validated(cls.__name__, data, handler)

    def tables(self) -> list[TableSync]:
        common = {"knowledge_base": self.knowledge_base, "batch_size": self.batch_size}
        chosen = [self._own_stream()] if self.streams is None else self.streams
        return [TableSync(**stream.model_dump(), **common, compare=self.compare, lag=self.lag) for stream in chosen]

    def _own_stream(self) -> Stream:
        return Stream(**self.model_dump(include=set(_OF_STREAM)))


class ResetParameters(TableReset):
    """Parameters of `kb-reset`. With `streams`, the fields of one table are those of the first."""

    model_config = ConfigDict(json_schema_extra=_of_one_or_several)

    streams: Annotated[Streams | None, AfterValidator(_each_once)] = Field(None, description=_STREAMS)
    only: Annotated[list[str], Field(max_length=MOST_STREAMS)] | None = Field(
        None, description="Of the streams only these, by `source_table`; left out: all"
    )

    @model_validator(mode="wrap")
    @classmethod
    def _one_or_several(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = _validated(cls.__name__, data, handler)
        known = [table.source_table for table in made._all()]
        unknown = [name for name in made.only or () if name not in known]
        if unknown:
            raise ValueError(f"only: {unknown[0]!r} is none of the streams {', '.join(known)}")
        return made

    def tables(self) -> list[TableReset]:
        return [table for table in self._all() if not self.only or table.source_table in self.only]

    def _all(self) -> list[TableReset]:
        common = {"knowledge_base": self.knowledge_base, "batch_size": self.batch_size, "mode": self.mode}
        own = Stream(**self.model_dump(include=set(_OF_STREAM)))
        return [TableReset(**stream.model_dump(), **common) for stream in self.streams or [own]]


def _validated(name: str, data: Any, handler: Callable[[Any], Made]) -> Made:
    """A stream's fields stand in the streams or, of one table, at the top; faults are told where they stand."""
    streams = data.get("streams") if isinstance(data, Mapping) else None
    if streams is None:
        return _of_one(name, data, handler)
    twice = [_misplaced(field, data[field]) for field in _OF_STREAM if field in data]
    first = streams[0] if isinstance(streams, list) and streams and isinstance(streams[0], dict) else {}
    try:
        made = handler({**data, **{field: first[field] for field in _OF_STREAM if field in first}})
    except ValidationError as error:
        told = [fault for fault in error.errors(include_url=False) if fault["loc"][0] not in _OF_STREAM]
        raise ValidationError.from_exception_data(name, [*twice, *map(_again, told)]) from None
    if twice:
        raise ValidationError.from_exception_data(name, twice)
    return made


def _of_one(name: str, data: Any, handler: Callable[[Any], Made]) -> Made:
    try:
        return handler(data)
    except ValidationError as error:
        faults = [_named(fault) for fault in error.errors(include_url=False)]
        raise ValidationError.from_exception_data(name, faults) from None


def _named(fault: Any) -> InitErrorDetails:
    if fault["type"] == "missing" and fault["loc"] == ("source_table",):
        fault["msg"] = "name a table, or several in `streams`"
    return _again(fault)


def _misplaced(field: str, value: Any) -> InitErrorDetails:
    kind = PydanticCustomError("misplaced", "stands in each of the streams, where there are streams")
    return InitErrorDetails(type=kind, loc=(field,), input=value)


def _again(fault: Any) -> InitErrorDetails:
    kind = PydanticCustomError(fault["type"], "{said}", {"said": fault["msg"]})
    return InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"])
