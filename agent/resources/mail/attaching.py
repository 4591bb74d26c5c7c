"""What is attached to an action, as parts of a mail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from agent.core.actions.attachments import DatasetData, FileData, LogData, ResultData
from agent.core.driving import DriverError, RunContext
from agent.core.wire import AttachmentGrant
from agent.resources.mail.message import Part

LARGEST = 50 * 1024 * 1024
"""Bytes of all parts of one mail; what servers take is less, mostly."""


def parts_of(context: RunContext, *, without: Collection[str] = ()) -> list[Part]:
    """All but those of the types `without`. DriverError(kind='attachment') names the one that cannot be had."""
    parts = []
    room = LARGEST
    for attachment in context.attachments:
        if attachment.type in without:
            continue
        part = _part(context, attachment)
        room -= len(part.content)
        if room < 0:
            raise DriverError("attachment", f"{attachment.name}: the attachments are larger than {LARGEST >> 20} MiB")
        parts.append(part)
    return parts


def _part(context: RunContext, attachment: AttachmentGrant) -> Part:
    if attachment.type == "file":
        return _file(attachment)
    if attachment.type == "log":
        lines = context.log_tail(LogData.model_validate(attachment.data).lines)
        return Part(attachment.name, _bytes("".join(f"{line}\n" for line in lines)), "text/plain")
    if attachment.type == "result":
        return _result(context, attachment)
    if attachment.type == "dataset":
        return _dataset(context, attachment)
    raise DriverError("attachment", f"{attachment.name}: there is no attachment of type {attachment.type!r}")


def _file(attachment: AttachmentGrant) -> Part:
    content = FileData.model_validate(attachment.data).file
    if content is None or attachment.path is None:
        raise DriverError("attachment", f"{attachment.name}: nothing was uploaded for it yet")
    try:
        return Part(attachment.name, Path(attachment.path).read_bytes(), content.content_type)
    except OSError as error:
        message = f"{attachment.name}: its content cannot be read: {error.strerror}"
        raise DriverError("attachment", message) from None


def _result(context: RunContext, attachment: AttachmentGrant) -> Part:
    wanted = ResultData.model_validate(attachment.data)
    done = context.steps.find(wanted.step)
    if done is None:
        raise DriverError("attachment", f"{attachment.name}: {wanted.step!r} is no step before it")
    value = _at(done.result, wanted.path, attachment.name)
    if wanted.format == "json":
        return Part(attachment.name, _bytes(json.dumps(value, ensure_ascii=False, indent=2)), "application/json")
    return Part(attachment.name, _bytes(_csv(value, attachment.name)), "text/csv")


def _dataset(context: RunContext, attachment: AttachmentGrant) -> Part:
    from agent.resources.datasets.attaching import snapshot_file  # DuckDB is loaded where it is used

    wanted = DatasetData.model_validate(attachment.data)
    path, rows, of = snapshot_file(context, wanted.dataset, wanted.format, wanted.rows)
    if rows < of:
        context.warn(f"{attachment.name} has the first {rows:,} of {of:,} rows")
    try:
        if path.stat().st_size > LARGEST:
            raise DriverError(
                "attachment", f"{attachment.name}: it is larger than {LARGEST >> 20} MiB; attach fewer rows"
            )
        return Part(attachment.name, path.read_bytes(), _KINDS[wanted.format])
    finally:
        path.unlink()


_KINDS = {"csv": "text/csv", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}


def _at(value: Any, path: str | None, name: str) -> Any:
    for part in path.split(".") if path else ():
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise DriverError("attachment", f"{name}: the result has nothing at {path}") from None
    return value


def _csv(value: Any, name: str) -> str:
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, Mapping) for row in rows):
        raise DriverError("attachment", f"{name}: as CSV it must be an object, or a list of them; name a `path`")
    out = io.StringIO()
    shown = [_cells(row) for row in rows]
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in shown for column in row)))
    writer.writeheader()
    writer.writerows(shown)
    return out.getvalue()


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(_cell(column)): _cell(value) for column, value in row.items()}


def _cell(value: Any) -> Any:
    """What a spreadsheet would take for a formula is shown as text."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
