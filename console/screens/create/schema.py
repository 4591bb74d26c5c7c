"""From a job type's JSON Schema, as the agent serves it, to the fields of its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.screens.create.fields import Field, Kind, Option, Source, write, write_lines
from shared.durations import format_duration

if TYPE_CHECKING:
    from console.client.answers import DriverInfo

TABLE = "data.source_table"
CONNECTION = "connection"
BASE = "data.knowledge_base"
COMMAND = "data.command"

_SOURCES: Mapping[str, Source] = {
    "content_columns": "columns",
    "key_columns": "columns",
    "attribute_columns": "columns",
    "filter_column": "filter_columns",
    "knowledge_base": "knowledge_bases",
}
"""What the agent can offer for parameters of these names, whatever the job type."""
_FIRST = (
    "source_table",
    "content_columns",
    "filter_column",
    "knowledge_base",
    "command",
    "cwd",
    "env",
    "to",
    "url",
    "subject",
    "json",
    "text",
)
_LINES = frozenset({"text", "html", "sql", "stdin"})
"""Parameters that often have several lines."""
_ABOUT = {
    COMMAND: 'a line for /bin/sh, or a JSON list: ["/usr/bin/rsync", "-a", …]',
    "data.cwd": "the folder that it runs in",
    "data.env": "NAME=value …, quoted where there are blanks",
}


def fields_of(driver: DriverInfo) -> list[Field]:
    """Name first, then what is needed, then what can be said."""
    schema = driver.fields
    names = sorted(schema.get("properties", {}), key=lambda name: _rank(name, schema))
    fields = [Field("name", "Name", "what people call it; unique", is_required=True)]
    for name in names:
        fields.extend(_fields(name, schema, (driver.template or {}).get(name)))
    return fields


def _rank(name: str, schema: Mapping[str, Any]) -> tuple[bool, int]:
    return name not in _required(schema) and name not in _FIRST, _FIRST.index(name) if name in _FIRST else 99


def _required(schema: Mapping[str, Any]) -> list[str]:
    """Where one of several sets of parameters is to be given, a form asks for the first."""
    choices = schema.get("oneOf", [])
    return [*schema.get("required", []), *(choices[0].get("required", []) if choices else [])]


def _fields(name: str, schema: Mapping[str, Any], example: Any) -> Iterator[Field]:
    required = name in _required(schema)
    if name == "source_table":
        yield Field(
            CONNECTION, "Connection", "where the table is", source="connections", is_required=True, is_closed=True
        )
        yield Field(TABLE, "Table", "the table that is read", source="tables", is_required=True, is_closed=True)
        return
    part = schema["properties"][name]
    kind, options = _kind(name, part, schema)
    key = f"data.{name}"
    yield Field(
        key,
        name.replace("_", " ").capitalize(),
        _ABOUT.get(key) or part.get("description", ""),
        kind,
        _SOURCES.get(name, ""),
        options,
        _hint(part, example),
        is_required=required,
        is_closed=bool(options) or _SOURCES.get(name) == "filter_columns",
    )


def _hint(part: Mapping[str, Any], example: Any) -> str:
    default = part.get("default")
    if part.get("format") == "duration-text" and default:
        from pydantic import TypeAdapter

        return format_duration(TypeAdapter(timedelta).validate_python(default))
    if default not in (None, "", [], {}):
        return write(default)
    return f"e.g. {write_lines(write(example))}" if example not in (None, "", [], {}) else ""


def _kind(name: str, part: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Kind, tuple[Option, ...]]:
    """Null, which most optional parameters may be, is what an empty field says."""
    choices = [_resolved(each, schema) for each in part.get("anyOf", [part])]
    choices = [each for each in choices if each.get("type") != "null"]
    if len(choices) != 1:
        texts = all(each.get("type") in {"string", "integer", "number"} for each in choices)
        return "text" if texts else "any", ()
    if name in _LINES and choices[0].get("type") == "string":
        return "lines", ()
    only = choices[0]
    if "enum" in only:
        return "text", tuple(Option(str(value)) for value in only["enum"])
    match only.get("type"):
        case "boolean":
            return "flag", (Option("yes"), Option("no"))
        case "integer" | "number":
            return "number", ()
        case "string":
            return "text", ()
        case "array" if _is_plain(only.get("items", {}), schema):
            return "list", ()
    return "pairs" if name == "env" else "json", ()


def _is_plain(items: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return all(
        _resolved(each, schema).get("type") in {"string", "integer", "number"} for each in items.get("anyOf", [items])
    )


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = schema.get("$defs", {}).get(name, part) if name else part
    return found
