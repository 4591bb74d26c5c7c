"""The two shapes of model: what comes in is strict about names, what goes out is camelCase.

`defer_build`: a model is built when it is first used. Whoever starts, a command above all, waits for those that it
uses, not for all that there are. What comes in as a query is built at once: FastAPI takes such models apart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


def _zulu(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat("T", "milliseconds" if moment.microsecond else "seconds")[: -len("+00:00")] + "Z"


Instant = Annotated[datetime, PlainSerializer(_zulu, return_type=str, when_used="json")]
"""An aware moment; in JSON always UTC with a `Z`."""

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)


def _within_reach(moment: datetime) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not _FIRST <= aware < _LAST:
        raise ValueError("is too far away; the years 1970 to 9899 are known")
    return aware


GivenInstant = Annotated[Instant, AfterValidator(_within_reach)]
"""A moment that somebody writes: naive means UTC, and one can reckon from it."""


class Resource(BaseModel):
    """What the API answers: camelCase names, unknown names of a newer agent ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", defer_build=True)


class Input(BaseModel):
    """What the API accepts: camelCase names, unknown names refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Policy(BaseModel):
    """A part of `policies`: snake_case names as written, unknown names refused."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
