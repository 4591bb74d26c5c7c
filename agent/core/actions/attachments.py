"""What an action can take with it, by type, and what `data` says of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.core.actions.steps import MAIN
from agent.core.driving import LOG_TAIL

ContentType = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+(; ?[a-zA-Z0-9-]+=[a-zA-Z0-9-]+)?$", max_length=200),
]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class FileContent(_Data):
    """Content that was uploaded; `blob` is its SHA-256."""

    blob: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    content_type: Annotated[ContentType, Field(alias="contentType")] = "application/octet-stream"


class FileData(_Data):
    """Uploaded to the attachment's `action-attachment-file-contents`, which sets `file`."""

    file: FileContent | None = None


class LogData(_Data):
    """The last lines of the run's log."""

    lines: Annotated[int, Field(ge=1, le=LOG_TAIL)] = 200


class ResultData(_Data):
    """A step's result, or what lies in it at a dotted path; as CSV it must be a list of objects there."""

    step: Annotated[str, StringConstraints(min_length=1, max_length=200)] = MAIN
    path: Annotated[str, StringConstraints(max_length=500)] | None = None
    format: Literal["json", "csv"] = "json"


class DatasetData(_Data):
    """The latest snapshot of a dataset of the job, by its alias; at most the first `rows` of it."""

    dataset: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    format: Literal["csv", "jsonl", "parquet"] = "csv"
    rows: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000


ATTACHMENTS: Mapping[str, type[BaseModel]] = {
    "file": FileData, "log": LogData, "result": ResultData, "dataset": DatasetData,
}  # fmt: skip


def content_of(data: Mapping[str, Any]) -> FileContent | None:
    """Of an attachment of type `file`, once it is uploaded."""
    return FileData.model_validate(data).file
