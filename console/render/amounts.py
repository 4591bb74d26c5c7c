"""Counts, bytes and shares."""

from __future__ import annotations

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_COUNT_UNITS = ("", "k", "M", "G", "T", "P")


def count(number: int, noun: str = "", plural: str | None = None) -> str:
    """`1,234`; with a noun `1 run`, `3 runs`."""
    word = noun if number == 1 else plural or f"{noun}s"
    return f"{number:,} {word}" if noun else f"{number:,}"


def short_count(number: int) -> str:
    """At most five cells: `999`, `1.2k`, `38k`, `1.2M`."""
    return _scale(number, _COUNT_UNITS, "")


def amount(number: int, unit: str) -> str:
    """`1.2k rows`, `1 row`: of a unit that a driver names, in the plural."""
    is_one = number == 1 and len(unit) > 2 and unit.endswith("s")
    return f"{short_count(number)} {unit[:-1] if is_one else unit}".strip()


def byte_size(number: int) -> str:
    """Decimal units as disks have them: `512 B`, `1.2 kB`, `38 MB`."""
    return _scale(number, _BYTE_UNITS, " ")


def percent(done: int, total: int | None) -> str:
    """`42%`, never `100%` before all is done; empty while the total is not known."""
    if not total or total < 0:
        return ""
    return f"{max(0, min(done, total)) * 100 // total}%"


def _scale(number: int, units: tuple[str, ...], gap: str) -> str:
    sign, size, unit = "-" if number < 0 else "", abs(number), 0
    value = float(size)
    while unit < len(units) - 1 and round(value, 1 if unit and value < 10 else 0) >= 1000:
        value /= 1000
        unit += 1
    digits = f"{value:.1f}" if unit and round(value, 1) < 10 else f"{value:.0f}"
    return f"{sign}{digits}{gap}{units[unit]}"
