"""Rows of the workbench as CSV, JSON Lines or Parquet, so that nothing is lost on the way there and back.

NULL is an empty field and the empty text a quoted one in CSV. Bytes are base64, decimals in JSON text; numbers that
JSON has no word for (NaN, infinities) are text. Moments are ISO 8601, those with a zone in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.resources.datasets.duck import Duck, named, quoted
from shared.models.dataset import SnapshotColumn

Format = Literal["csv", "jsonl", "parquet"]
_FORMULA = r"^[=+\-@\t\r]"


@dataclass(frozen=True, slots=True)
class Style:
    """`defused`: texts that a spreadsheet would take for a formula begin with an apostrophe."""

    format: Format
    delimiter: str = ","
    defused: bool = False


def write_file(
    bench: Duck,
    relation: str,
    columns: Sequence[SnapshotColumn],
    style: Style,
    path: Path,
    part: tuple[int, int] | None,
) -> None:
    """`part`: (first row, how many); None: all rows, in their order."""
    chosen = ", ".join(_chosen(column, style) for column in columns)
    bounds = f" LIMIT {part[1]} OFFSET {part[0]}" if part else ""
    bench.execute(f"COPY (SELECT {chosen} FROM {relation}{bounds}) TO {quoted(str(path))} ({_options(style)})")


def _options(style: Style) -> str:
    if style.format == "csv":
        return f"FORMAT csv, HEADER, DELIMITER {quoted(style.delimiter)}, QUOTE '\"', ESCAPE '\"', NULL ''"
    return "FORMAT json" if style.format == "jsonl" else "FORMAT parquet, COMPRESSION zstd"


def _chosen(column: SnapshotColumn, style: Style) -> str:
    name = named(column.name)
    shown = named(_safe(column.name)) if style.defused else name
    return f"{_value(name, column.type, style)} AS {shown}"


def _value(name: str, type_: str, style: Style) -> str:
    if style.format == "parquet":
        return name
    if type_ == "BLOB":
        return f"to_base64({name})"
    if style.format == "csv":
        safe = f"CASE WHEN regexp_matches({name}, {quoted(_FORMULA)}) THEN '''' || {name} ELSE {name} END"
        return safe if style.defused and type_ == "VARCHAR" else name
    if type_ in ("DOUBLE", "FLOAT"):
        return f"CASE WHEN isfinite({name}) OR {name} IS NULL THEN to_json({name}) ELSE to_json({name}::VARCHAR) END"
    return f"{name}::VARCHAR" if type_.startswith("DECIMAL") else name


def _safe(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name
