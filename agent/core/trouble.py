"""What is told of a store that takes nothing: its disk is full, or somebody else holds its file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.models import Event
from shared.models.base import Instant, Resource

UNSTORED = 0
"""The id of an event that is told and not stored."""
SUBJECT = "store"


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """Why the store takes nothing."""

    reason: str
    since: datetime


class _Told(Resource):
    store: Literal["refuses", "works"]
    reason: str
    since: Instant
    until: Instant | None = None


def told_at_once(trouble: StoreTrouble) -> Event:
    """It can be stored only when it is over."""
    return Event(
        id=UNSTORED, at=trouble.since, kind="agent.changed", account_id="", subject_id=SUBJECT, data=begun(trouble)
    )


def begun(trouble: StoreTrouble) -> dict[str, Any]:
    return _Told(store="refuses", reason=trouble.reason, since=trouble.since).model_dump(mode="json", by_alias=True)


def over(trouble: StoreTrouble, now: datetime) -> dict[str, Any]:
    told = _Told(store="works", reason=trouble.reason, since=trouble.since, until=now)
    return told.model_dump(mode="json", by_alias=True)
