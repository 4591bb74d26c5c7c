"""Names of files from templates: `orders-{date}.csv`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_PLACE = re.compile(r"\{([a-z]*)\}")
PLACES = ("date", "time", "job", "name", "run", "part")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST = 200


def check_template(template: str) -> str:
    """ValueError that says what is wrong with it."""
    unknown = [found for found in _PLACE.findall(template) if found not in PLACES]
    if unknown:
        known = ", ".join(f"{{{place}}}" for place in PLACES)
        raise ValueError(f"{{{unknown[0]}}} is none of {known}")
    plain = _PLACE.sub("x", template)
    if not plain or len(plain) > LONGEST or "/" in plain or plain.startswith(".") or not plain.isprintable():
        raise ValueError(f"{template!r} is no name of a file; write one as in 'orders-{{date}}.csv'")
    return template


def file_name(template: str, values: Mapping[str, str], part: int | None) -> str:
    """`part` None: there is one file. A template without `{part}` gets it before its suffix where there are more."""
    if part is not None and "{part}" not in template:
        stem, dot, suffix = template.rpartition(".")
        template = f"{stem}-{{part}}{dot}{suffix}" if dot else f"{template}-{{part}}"
    given = {**values, "part": f"{part or 1:04}"}
    return _PLACE.sub(lambda found: _UNFIT.sub("-", given[found[1]]).strip(".-") or "x", template)[:LONGEST]


def values_of(at: datetime, job: str, name: str, run_id: str) -> dict[str, str]:
    """What stands for the places; date and time in UTC."""
    moment = at.astimezone(UTC)
    return {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H%M%S}", "job": job, "name": name, "run": run_id}
