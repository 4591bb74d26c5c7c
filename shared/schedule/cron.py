"""A cron expression, checked field by field.

croniter expands what it expands soundly: names, lists, ranges, steps. It is handed a plain form, because as written it
takes `5-5` for the whole field and `7/2` for an error; `L`, `5#2` and `5L` are kept apart, because it reads `5L` as
`L5`, and refuses them in lists. See `walls` for why it does not do the matching.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from croniter import croniter  # type: ignore[import-untyped]

from shared.errors import Fault, InvalidInput

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM = re.compile(r"(?P<low>\*|[0-9A-Z]+)(?:-(?P<high>[0-9A-Z]+))?(?:/(?P<step>[0-9]+))?")
_NTH = re.compile(r"([0-9A-Z]+)#([0-9]+)")
_LAST = re.compile(r"([0-9A-Z]+)L")


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    low: int
    high: int
    width: int
    names: tuple[str, ...] = ()
    first: int = 0


MINUTE = Field("minute", 0, 59, 60)
HOUR = Field("hour", 0, 23, 24)
DAY = Field("day of month", 1, 31, 31)
MONTH = Field("month", 1, 12, 12, _MONTHS, 1)
WEEKDAY = Field("day of week", 0, 7, 7, _WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class Cron:
    """The sets that an expression names; weekdays count from Sunday = 0. `text`: the five fields as written, in capitals."""

    text: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    last_day: bool
    months: tuple[int, ...]
    weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]
    last_weekdays: frozenset[int]

    @property
    def is_clock(self) -> bool:
        """A clock job follows the wall as it goes; the others are fixed-time jobs (design: Daylight saving)."""
        return self.text[0].startswith("*") or self.text[1].startswith("*")

    @property
    def either_day(self) -> bool:
        """Whether day of month or day of week is enough; a field that begins with `*` makes both necessary."""
        return not (self.text[2].startswith("*") or self.text[4].startswith("*"))


class _Refusal(Exception):
    """What is wrong with one field; becomes a Fault."""


@lru_cache(maxsize=4096)
def parse_cron(expression: str) -> Cron:
    """The expression's sets; InvalidInput with one fault (field `interval`) for each wrong cron field."""
    fields = _split(expression)
    plain, special, faults = [], [], []
    for field, text in zip(FIELDS, fields, strict=True):
        try:
            items = [_check_item(field, item) for item in text.split(",")]
        except _Refusal as refusal:
            faults.append(Fault("interval", f"{field.name} field {text!r}: {refusal}", expression))
            continue
        plain.append(",".join(item for item in items if isinstance(item, str)))
        special.append([item for item in items if not isinstance(item, str)])
    if faults:
        raise InvalidInput(faults)
    minutes, hours, days, months, weekdays = _expand(plain)
    return Cron(
        text=fields,
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        last_day=bool(special[2]),
        months=tuple(sorted(months)),
        weekdays=weekdays,
        nth_weekdays=frozenset(item for item in special[4] if item[1] > 0),
        last_weekdays=frozenset(day for day, nth in special[4] if nth == 0),
    )


def _split(expression: str) -> tuple[str, ...]:
    text = expression.strip().upper()
    if text.startswith("@"):
        if text.lower() not in _NAMED:
            raise InvalidInput.one(
                "interval", f"{expression!r} is not known; there are {', '.join(_NAMED)}", expression
            )
        text = _NAMED[text.lower()]
    fields = tuple(text.split())
    if len(fields) != len(FIELDS) or not text.isascii():
        names = ", ".join(field.name for field in FIELDS)
        message = f"{expression!r} has {len(fields)} fields; cron takes five: {names}"
        raise InvalidInput.one("interval", message, expression)
    return fields


def _check_item(field: Field, item: str) -> str | tuple[int, int]:
    """The item in the plain form that croniter expands; `L`, `5L` (nth 0) and `5#2` as (day, nth)."""
    if special := _special(field, item):
        return special
    match = _ITEM.fullmatch(item)
    if match is None:
        raise _Refusal(_advice(field, item))
    step = _step(field, match["step"])
    if match["low"] == "*":
        if match["high"]:
            raise _Refusal(f"{item!r} is not a range; {_span(field)}")
        return f"*/{step}" if match["step"] else "*"
    low = _value(field, match["low"])
    high = _high(field, low, match)
    return str(low) if low == high else f"{low}-{high}/{step}"


def _special(field: Field, item: str) -> tuple[int, int] | None:
    if field is DAY and item == "L":
        return (0, 0)
    if field is not WEEKDAY:
        return None
    if match := _NTH.fullmatch(item):
        nth = int(match[2])
        if not 1 <= nth <= 5:
            raise _Refusal(f"a month has the 1st to the 5th of a weekday, not the {nth}th; write 1 to 5 after '#'")
        return (_value(field, match[1]) % 7, nth)
    if match := _LAST.fullmatch(item):
        return (_value(field, match[1]) % 7, 0)
    return None


def _step(field: Field, text: str | None) -> int:
    step = int(text or 1)
    if not 1 <= step <= field.width:
        raise _Refusal(f"step {step} is not between 1 and {field.width}")
    return step


def _high(field: Field, low: int, match: re.Match[str]) -> int:
    if match["high"] is None:
        return field.high if match["step"] else low
    high = _value(field, match["high"])
    if field is WEEKDAY and high == 0 and low > 0:
        return 7
    if high < low:
        raise _Refusal(f"range {match[0]!r} is reversed; write the smaller first, or two ranges with a comma")
    return high


def _value(field: Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.first
    if not text.isdigit():
        raise _Refusal(_advice(field, text))
    value = int(text[:9])
    if not field.low <= value <= field.high:
        raise _Refusal(f"{text} is out of range; {_span(field)}")
    return value


def _advice(field: Field, item: str) -> str:
    if "?" in item:
        return "'?' is not cron's; write '*'"
    if "W" in item and field is DAY:
        return "'W' is not supported; use the day of week field, as in '1-5'"
    if not item:
        return f"a part is empty; {_span(field)}"
    return f"{item!r} is not understood; {_span(field)}"


def _span(field: Field) -> str:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    last = ", or L for the last day" if field is DAY else ""
    return f"write {field.low} to {field.high}{names}{last}"


def _expand(plain: list[str]) -> list[frozenset[int]]:
    # A field of specials alone has nothing to expand; it is a star to croniter and an empty set here.
    expanded = croniter.expand(" ".join(text or "*" for text in plain))[0]
    return [_numbers(*each) for each in zip(FIELDS, plain, expanded, strict=True)]


def _numbers(field: Field, text: str, values: list[int | str]) -> frozenset[int]:
    if not text:
        return frozenset()
    if values == ["*"]:
        return frozenset(range(field.low, field.low + field.width))
    return frozenset(int(value) for value in values)
