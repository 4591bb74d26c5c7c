"""Runs and fires as their events tell them. Pydantic would say the same; every run is told three times and every fire
once, so it is said by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from shared.models import Fire, Progress, Run, RunError

_ALIASES = {name: field.alias or name for name, field in Run.model_fields.items()}
_pick = itemgetter(*_ALIASES)
_PROGRESS = {name: field.alias or name for name, field in Progress.model_fields.items()}
_pick_progress = itemgetter(*_PROGRESS)
_ERROR = [(name, field.alias or name) for name, field in RunError.model_fields.items()]
_MOMENTS = [(name, _ALIASES[name]) for name in _ALIASES if name.endswith("_at")]

_FIRE = [(name, field.alias or name) for name, field in Fire.model_fields.items()]
_OF_FIRE = [(name, alias) for name, alias in _FIRE if name in ("fire_at", "stands_in_fire_at", "until", "decided_at")]


def data_of(run: Run) -> dict[str, Any]:
    """`run.model_dump(mode="json", by_alias=True)`."""
    values = run.__dict__
    data = dict(zip(_ALIASES.values(), _pick(values), strict=True))
    for name, alias in _MOMENTS:
        if (moment := values[name]) is not None:
            data[alias] = zulu(moment)
    data["state"] = str(values["state"])
    data["progress"] = dict(zip(_PROGRESS.values(), _pick_progress(values["progress"].__dict__), strict=True))
    error = values["error"]
    if error is not None:
        data["error"] = {alias: error.__dict__[name] for name, alias in _ERROR}
    return data


def fire_data(row: Mapping[Any, Any]) -> dict[str, Any]:
    """`Fire.model_dump(mode="json", by_alias=True)` of a row of the ledger."""
    data = {alias: row[name] for name, alias in _FIRE}
    for name, alias in _OF_FIRE:
        if (moment := row[name]) is not None:
            data[alias] = zulu(moment)
    data["outcome"], data["reason"] = str(row["outcome"]), str(row["reason"])
    return data


@lru_cache(maxsize=1024)
def zulu(moment: datetime) -> str:
    """As `Instant` writes it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return f"{text.removesuffix('+00:00')}Z"
