"""What a request may be told: the fields that every job type that sends one has in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from agent.resources.http.spelling import check_prefix, check_url, check_value
from shared.durations import Duration

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
StatusRange = Annotated[str, Field(pattern=r"^[1-5]\d\d(-[1-5]\d\d)?$")]
StatusCode = Annotated[int, Field(ge=100, le=599)]

FRAMING = {"content-length", "transfer-encoding", "connection"}


class Secret(BaseModel):
    """The value of a secret of the account, by its name; `prefix` comes before it, as in `Bearer `."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    secret: Annotated[str, Field(min_length=1)]
    prefix: str = ""


class Condition(BaseModel):
    """A value of the JSON answer: `path` is dotted, with numbers for places in lists, as in `items.0.state`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    path: Annotated[str, Field(min_length=1)]
    equals: JsonValue


class Expectation(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    status: Annotated[list[StatusCode | StatusRange], Field(min_length=1)] = ["200-299"]
    json_: Annotated[list[Condition], Field(alias="json")] = []


class RequestParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    url: Annotated[str, Field(max_length=8000)]
    headers: dict[HeaderName, str | Secret] = {}
    json_: Annotated[Any, Field(alias="json")] = None
    """Sent as JSON."""
    text: str | None = None
    """Sent as it is, as `text/plain` unless a header says otherwise."""
    timeout: Duration = timedelta(seconds=30)
    """For the whole exchange, redirects included."""
    redirects: Annotated[int, Field(ge=0, le=20)] = 5
    """How many are followed."""
    expect: Expectation = Expectation()

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        check_url(value)
        parts = urlsplit(value)
        if parts.username is not None or parts.password is not None:
            raise ValueError("a URL is no place for credentials; write a header with {'secret': 'name'}")
        return value

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, value: dict[str, str | Secret]) -> dict[str, str | Secret]:
        for name, given in value.items():
            if name.lower() in FRAMING:
                raise ValueError(f"{name} is set by the request itself; leave it out")
            if isinstance(given, Secret):
                check_prefix(name, given.prefix)
            else:
                check_value(name, given)
        return value

    @field_validator("timeout")
    @classmethod
    def _is_positive(cls, value: timedelta) -> timedelta:
        if not timedelta(0) < value <= timedelta(days=1):
            raise ValueError("the timeout is more than nothing and at most a day, as in '30 s'")
        return value

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.json_ is not None and self.text is not None:
            raise ValueError("give `json` or `text`, not both")
        return self

    def secrets(self) -> tuple[str, ...]:
        """Names of those that its headers carry."""
        return tuple(value.secret for value in self.headers.values() if isinstance(value, Secret))
