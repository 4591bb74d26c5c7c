"""A snapshot's rows as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """A page of a snapshot's rows. `where`: a condition in DuckDB's SQL, None for all."""

    where: str | None = None
    start: int = 0
    limit: int = 100
