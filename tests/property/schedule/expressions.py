"""Random cron expressions together with what they mean, said without the module: text and sets are drawn side by side."""

from __future__ import annotations

import calendar
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass
class Meaning:
    """The sets that the five fields name, in the words of the rules."""

    text: list[str]
    minutes: set[int] = field(default_factory=set)
    hours: set[int] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    last_day: bool = False
    months: set[int] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    nth: set[tuple[int, int]] = field(default_factory=set)
    last_weekdays: set[int] = field(default_factory=set)
    odd: bool = False
    """Has a form that cronsim does not know."""

    @property
    def expression(self) -> str:
        return " ".join(self.text)

    @property
    def is_portable(self) -> bool:
        """Whether cronsim reads the text the same way; it takes `4-4/15` for `4/15`."""
        return not self.odd and not re.search(r"\b0?(\w+)-0?\1/", self.expression)

    @property
    def is_clock(self) -> bool:
        return self.text[0][0] == "*" or self.text[1][0] == "*"

    def has_day(self, on: date) -> bool:
        """The rule for the two day fields, word by word."""
        if on.month not in self.months:
            return False
        length = calendar.monthrange(on.year, on.month)[1]
        weekday = on.isoweekday() % 7
        by_day = on.day in self.days or (self.last_day and on.day == length)
        by_weekday = (
            weekday in self.weekdays
            or any(weekday == day and (nth - 1) * 7 < on.day <= nth * 7 for day, nth in self.nth)
            or (weekday in self.last_weekdays and on.day > length - 7)
        )
        if self.text[2][0] == "*" or self.text[4][0] == "*":
            return by_day and by_weekday
        return by_day or by_weekday


def draw(rng: random.Random, month: int, hours: list[int]) -> Meaning:
    """An expression that has a fair chance to fire in this month, and in these hours."""
    meaning = Meaning([])
    meaning.text = [
        _list(rng, meaning.minutes, 0, 59, [0, 15, 30, 45, 59], 0.35),
        _list(rng, meaning.hours, 0, 23, hours, 0.3),
        _days(rng, meaning),
        _list(rng, meaning.months, 1, 12, [month], 0.7, _MONTHS),
        _weekdays(rng, meaning),
    ]
    return meaning


def _list(
    rng: random.Random,
    into: set[int],
    low: int,
    high: int,
    likely: list[int],
    star: float,
    names: Sequence[str] = (),
) -> str:
    if rng.random() < star:
        into.update(range(low, high + 1))
        return "*"
    return ",".join(_item(rng, into, low, high, likely, names) for _ in range(rng.choice([1, 1, 1, 2, 3])))


def _item(rng: random.Random, into: set[int], low: int, high: int, likely: list[int], names: Sequence[str]) -> str:
    start = rng.choice(likely) if rng.random() < 0.7 else rng.randint(low, high)
    end = rng.randint(start, high)
    step = rng.choice([1, 2, 3, 5, 7, 10, 15, 20, high - low + 1])
    step = min(step, high - low + 1)
    shape = rng.choice(["star", "value", "value", "range", "steps", "tail"])
    if shape == "star":
        into.update(range(low, high + 1, step))
        return f"*/{step}"
    if shape == "value":
        into.add(start)
        return _name(rng, start, low, names)
    if shape == "tail":
        into.update(range(start, high + 1, step))
        return f"{start}/{step}"
    stride = step if shape == "steps" else 1
    into.update(range(start, end + 1, stride))
    return f"{_name(rng, start, low, names)}-{_name(rng, end, low, names)}" + (f"/{stride}" if stride > 1 else "")


def _name(rng: random.Random, value: int, low: int, names: Sequence[str]) -> str:
    if names and rng.random() < 0.5:
        return rng.choice([str.upper, str.lower, str.title])(names[value - low])
    return rng.choice([str(value), str(value), f"{value:02}"])


def _days(rng: random.Random, meaning: Meaning) -> str:
    if rng.random() < 0.15:
        meaning.last_day = True
        extra = _list(rng, meaning.days, 1, 31, [1, 25, 26, 27, 28, 29, 30, 31], 0)
        return rng.choice([f"L,{extra}", f"{extra},l"]) if rng.random() < 0.5 else _only(meaning.days, "L")
    return _list(rng, meaning.days, 1, 31, [1, 7, 8, 14, 25, 26, 27, 28, 29, 30, 31], 0.55)


def _only(values: set[int], text: str) -> str:
    values.clear()
    return text


def _weekdays(rng: random.Random, meaning: Meaning) -> str:
    if rng.random() < 0.55:
        meaning.weekdays.update(range(7))
        return "*"
    return ",".join(_weekday(rng, meaning) for _ in range(rng.choice([1, 1, 2])))


def _weekday(rng: random.Random, meaning: Meaning) -> str:
    day = rng.choice([0, 0, 0, 1, 4, 5, 6, 7])
    name = rng.choice([str(day), _DAYS[day % 7], _DAYS[day % 7].lower()])
    shape = rng.choice(["value", "range", "to sunday", "star", "nth", "last", "tail"])
    if shape == "range":
        end = rng.randint(day, 7)
        step = rng.choice([1, 2, 3])
        meaning.weekdays.update(each % 7 for each in range(day, end + 1, step))
        return f"{day}-{end}/{step}"
    if shape == "to sunday":
        meaning.odd = True
        first = rng.randint(1, 6)
        meaning.weekdays.update(each % 7 for each in range(first, 8))
        return f"{_DAYS[first]}-{rng.choice(['SUN', 'sun', '0', '7'])}"
    if shape == "star":
        step = rng.randint(1, 7)
        meaning.weekdays.update(range(0, 7, step))
        return f"*/{step}"
    if shape == "nth":
        nth = rng.randint(1, 5)
        meaning.nth.add((day % 7, nth))
        return f"{name}#{nth}"
    if shape == "last":
        meaning.odd = meaning.odd or not name.isdigit()
        meaning.last_weekdays.add(day % 7)
        return f"{name}{rng.choice('Ll')}"
    if shape == "tail":
        step = rng.randint(1, 7)
        meaning.weekdays.update(each % 7 for each in range(day, 8, step))
        return f"{day}/{step}"
    meaning.weekdays.add(day % 7)
    return name
