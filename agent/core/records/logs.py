"""Lines of a log as they are looked for."""

from __future__ import annotations

from dataclasses import dataclass

from shared.models.run import LogLevel


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Lines with this text, of this level, or both; at least one of the two is given.

    The text is looked for as it is; unless `match_case`, letters match in either case, one letter for one. `start`
    counts from the end when negative; None: from the end where the search begins.
    """

    text: str = ""
    level: LogLevel | None = None
    start: int | None = None
    limit: int = 1
    backwards: bool = False
    match_case: bool = False
