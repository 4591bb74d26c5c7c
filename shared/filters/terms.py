"""What a filter is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Literal

Kind = Literal["run", "job", "audit"]
Op = Literal[":", ":~", "<", "<=", ">", ">="]


class Nothing(Enum):
    """`none`: the value that is not there."""

    NONE = "none"


NONE = Nothing.NONE


@dataclass(frozen=True, slots=True)
class Stretch:
    """A moment as precisely as it was written: a day, a minute, a second. `end` is exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A day counted from today: 0 is today, -1 yesterday."""

    offset: int


Value = str | float | bool | timedelta | Stretch | Day | Nothing


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after the other; with `prefix` the last may go on."""

    words: tuple[str, ...]
    prefix: bool
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field op value`, or one of several values."""

    field: str
    op: Op
    values: tuple[Value, ...]
    negated: bool = False


Term = Phrase | Comparison
