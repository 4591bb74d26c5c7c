"""A schedule in words, for lists and headings. What has no short sentence is shown as written."""

from __future__ import annotations

from shared.schedule.cron import Cron, parse_cron
from shared.schedule.spec import ScheduleSpec
from shared.schedule.written import read_simple

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "", "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ORDINALS = ("last", "first", "second", "third", "fourth", "fifth")
_ALL = ("*", "*", "*", "*")
_MOST_TIMES = 4
_MOST_NAMES = 4


def describe(spec: ScheduleSpec) -> str:
    """`every 10 minutes`, `at 02:00 on weekdays (Europe/Berlin)`, `once at 2026-03-29 02:30 (UTC)`, `by hand`."""
    if spec.interval_type == "none" or not spec.interval:
        return "by hand"
    if spec.interval_type == "simple":
        return _every(read_simple(spec.interval).text)
    if spec.interval_type == "once":
        return f"once at {spec.interval.strip()} ({spec.timezone})"
    return _describe_cron(spec.interval, spec.timezone)


def _every(text: str) -> str:
    number, unit = text.split()
    return f"every {unit}" if number == "1" else f"every {number} {unit}s"


def _describe_cron(expression: str, timezone: str) -> str:
    cron = parse_cron(expression)
    when, days = _times(cron), _days(cron)
    if when is None or days is None:
        return f"cron {' '.join(expression.split())} ({timezone})"
    words = " ".join(word for word in (when, days, _months(cron)) if word)
    # Only what is the same on every wall can do without its zone.
    return words if words.startswith("every") and cron.text[1:] == _ALL else f"{words} ({timezone})"


def _times(cron: Cron) -> str | None:
    minute, hour = cron.text[0], cron.text[1]
    if hour == "*":
        return _within_hours(cron, minute)
    if len(cron.minutes) * len(cron.hours) <= _MOST_TIMES:
        return "at " + _and([f"{h:02}:{m:02}" for h in cron.hours for m in cron.minutes])
    if len(cron.minutes) == 1 and hour.startswith("*/") and 24 % (step := len(range(24)) // len(cron.hours)) == 0:
        return f"every {step} hours at :{cron.minutes[0]:02}" if hour == f"*/{step}" else None
    if len(cron.minutes) == 1 and _is_run(cron.hours):
        return f"hourly from {cron.hours[0]:02}:{cron.minutes[0]:02} to {cron.hours[-1]:02}:{cron.minutes[0]:02}"
    return None


def _within_hours(cron: Cron, minute: str) -> str | None:
    if len(cron.minutes) == 60:
        return "every minute"
    if minute.startswith("*/") and minute.count("/") == 1 and minute[2:].isdigit() and 60 % int(minute[2:]) == 0:
        return f"every {int(minute[2:])} minutes" if len(cron.minutes) > 1 else "hourly at :00"
    if len(cron.minutes) <= _MOST_TIMES:
        return "hourly at " + _and([f":{each:02}" for each in cron.minutes])
    return None


def _days(cron: Cron) -> str | None:
    """The days; empty for all of them, None if they have no short name."""
    any_day = cron.text[2] == "*"
    any_weekday = cron.text[4] == "*"
    if any_day and any_weekday:
        return ""
    if any_day:
        return _weekdays(cron)
    dates = _dates(cron)
    if any_weekday:
        return dates
    weekdays = _weekdays(cron)
    return f"{dates} or {weekdays}" if cron.either_day and dates and weekdays else None


def _weekdays(cron: Cron) -> str | None:
    parts = []
    if cron.weekdays == {1, 2, 3, 4, 5}:
        parts.append("weekdays")
    elif cron.weekdays == {0, 6}:
        parts.append("weekends")
    else:
        parts += [_WEEKDAYS[day] for day in sorted(cron.weekdays, key=lambda day: day or 7)]
    parts += [f"the {_ORDINALS[nth]} {_WEEKDAYS[day]}" for day, nth in sorted(cron.nth_weekdays)]
    parts += [f"the last {_WEEKDAYS[day]}" for day in sorted(cron.last_weekdays)]
    return f"on {_and(parts)}" if len(parts) <= _MOST_NAMES else None


def _dates(cron: Cron) -> str | None:
    parts = [f"day {day}" for day in sorted(cron.days)] + (["the last day"] if cron.last_day else [])
    month = "" if len(cron.months) < 12 else " of the month"
    return f"on {_and(parts)}{month}" if len(parts) <= _MOST_NAMES else None


def _months(cron: Cron) -> str:
    if len(cron.months) == 12:
        return ""
    if len(cron.months) > 2 and _is_run(cron.months):
        return f"from {_MONTHS[cron.months[0]]} to {_MONTHS[cron.months[-1]]}"
    return f"in {_and([_MONTHS[month] for month in cron.months])}"


def _is_run(values: tuple[int, ...]) -> bool:
    return len(values) > 1 and values[-1] - values[0] == len(values) - 1


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
