"""Their connections as they are sent and answered, and our jobs in their words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from agent.api.contracts.connector_jobs.words import ShortText
from agent.api.errors import fault_of
from agent.core.ports.syncs import SyncJob, SyncJobs
from shared.errors import Fault, InvalidInput
from shared.models import JobInput
from shared.models.base import Instant

Activity = Literal["active", "inactive"]
Column = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[list[Column], Field(min_length=1, max_length=500)]
_STREAM_FIELDS = ("content_columns", "filter_column", "key_columns", "attribute_columns")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_OURS_TO_THEIRS = (
    (r"^data\.streams\.(\d+)\.source_table", r"configurations.streams.\1.table"),
    (r"^data\.streams", "configurations.streams"),
    (r"^data\.knowledge_base", "destination_id"),
    (r"^data\.only", "streams"),
    (r"^data", "configurations"),
    (r"^(interval_type|intervalType)", "schedule.interval_type"),
    (r"^interval", "schedule.interval"),
    (r"^timezone", "schedule.timezone"),
)


class StreamFields(BaseModel):
    table: Column
    content_columns: Columns
    filter_column: Column
    key_columns: Columns | None = None
    attribute_columns: list[Column] | None = None


class Configurations(BaseModel):
    streams: Annotated[list[StreamFields], Field(min_length=1, max_length=100)]


class ConnectorSchedule(BaseModel):
    interval_type: Literal["cron", "simple", "once"]
    interval: Annotated[str, Field(max_length=500)]
    timezone: Annotated[str, Field(max_length=100)] = "UTC"


class ConnectorConnectionInput(BaseModel):
    """Without `destination_id` a knowledge base is made, named after the connection."""

    name: ShortText
    source_id: ShortText
    destination_id: ShortText | None = None
    configurations: Configurations
    schedule: ConnectorSchedule | None = None
    status: Activity = "active"
    workspace_id: ShortText | None = None


class ConnectorConnectionChange(BaseModel):
    """What is left out stays."""

    name: ShortText | None = None
    destination_id: ShortText | None = None
    configurations: Configurations | None = None
    schedule: ConnectorSchedule | None = None
    status: Activity | None = None


class StreamNames(BaseModel):
    """None means all."""

    streams: Annotated[list[Column], Field(max_length=100)] = []


class RefreshInput(StreamNames):
    remove_records: bool = False


class ConnectorConnection(BaseModel):
    connection_id: str
    name: str
    workspace_id: str
    source_id: str | None
    destination_id: str | None
    configurations: Configurations
    schedule: ConnectorSchedule | None
    status: Activity
    created_at: Instant
    updated_at: Instant


class TimelineEvent(BaseModel):
    event_id: str
    event_type: str
    created_at: Instant
    summary: str


def connection_of(job: SyncJob, found: SyncJobs) -> ConnectorConnection:
    streams = streams_of(job.data)
    source = str(streams[0]["source_table"]).partition(".")[0] if streams else ""
    shown = [_stream_of(stream, source) for stream in streams]
    return ConnectorConnection.model_construct(
        connection_id=job.id,
        name=job.name,
        workspace_id=job.account_id,
        source_id=found.sources.get(source),
        destination_id=found.bases.get(str(job.data.get("knowledge_base"))),
        configurations=Configurations.model_construct(streams=shown),
        schedule=_schedule_of(job),
        status="active" if job.is_active else "inactive",
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def streams_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As the drivers have them, also of a job for one table."""
    if data.get("streams"):
        return list(data["streams"])
    return [{name: data[name] for name in ("source_table", *_STREAM_FIELDS) if name in data}]


def our_streams(configurations: Configurations, source: str) -> list[dict[str, Any]]:
    return [
        {"source_table": f"{source}.{stream.table}", **stream.model_dump(exclude={"table"}, exclude_none=True)}
        for stream in configurations.streams
    ]


def our_schedule(schedule: ConnectorSchedule | None) -> dict[str, Any]:
    if schedule is None:
        return {"interval_type": "none", "interval": None, "timezone": "UTC"}
    return schedule.model_dump()


def named_streams(job: JobInput, names: Iterable[str]) -> list[str]:
    """By `source_table`; a table alone is looked for in the streams. InvalidInput on `streams`."""
    known = [str(stream["source_table"]) for stream in streams_of(job.data)]
    by_table = {name.partition(".")[2]: name for name in known} | {name: name for name in known}
    found = list(dict.fromkeys(names))
    unknown = [name for name in found if name not in by_table]
    if unknown:
        tables = ", ".join(name.partition(".")[2] for name in known)
        raise InvalidInput.one("streams", f"there is no stream {unknown[0]!r}; there are {tables}", unknown[0])
    return [by_table[name] for name in found]


def base_name(name: str, taken: Iterable[str]) -> str:
    """Of a knowledge base for the connection: its name as far as one may be, with a number where it is taken."""
    plain = _NOT_PLAIN.sub("-", name).strip("-_")[:90] or "connection"
    others, found, count = set(taken), plain, 1
    while found in others:
        count += 1
        found = f"{plain}-{count}"
    return found


def definition_of(fields: Mapping[str, Any]) -> JobInput:
    """InvalidInput, as of every body."""
    try:
        return JobInput.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput([fault_of(found) for found in error.errors(include_url=False)]) from None


def in_their_words(error: InvalidInput) -> InvalidInput:
    return InvalidInput([_theirs(fault) for fault in error.faults])


def _theirs(fault: Fault) -> Fault:
    for ours, theirs in _OURS_TO_THEIRS:
        field, changed = re.subn(ours, theirs, fault.field)
        if changed:
            return replace(fault, field=field)
    return fault


def _stream_of(stream: Mapping[str, Any], source: str) -> StreamFields:
    """A table of another source keeps its whole name."""
    whole = str(stream.get("source_table", ""))
    told: dict[str, Any] = {name: stream.get(name) for name in _STREAM_FIELDS}
    made: StreamFields = StreamFields.model_construct(None, table=whole.removeprefix(f"{source}."), **told)
    return made


def _schedule_of(job: SyncJob) -> ConnectorSchedule | None:
    if job.interval_type == "none" or job.interval is None:
        return None
    return ConnectorSchedule.model_construct(
        interval_type=job.interval_type, interval=job.interval, timezone=job.timezone
    )
