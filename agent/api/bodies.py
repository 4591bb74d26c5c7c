"""Bodies of requests: bounded, plain JSON, checked against a model, refused by field."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from agent.api.context import api_of
from agent.api.errors import TooLarge, UnsupportedMediaType, fault_of
from shared.errors import Fault, InvalidInput

T = TypeVar("T", bound=BaseModel)
_DEEPEST = 64
_DIGITS = 18


class JsonBody(Generic[T]):
    """A dependency that reads `model` from the body; description.py declares it from here.

    `optional`: an empty body means the model's defaults. `secret`: no refusal repeats a value. `read_only`: fields
    that are ignored, so that what was read can be sent back.
    """

    def __init__(
        self, model: type[T], *, optional: bool = False, secret: bool = False, read_only: frozenset[str] = frozenset()
    ) -> None:
        self.model = model
        self.optional = optional
        self.secret = secret
        self.read_only = read_only

    async def __call__(self, request: Request) -> T:
        raw = await read_body(request)
        if not raw.strip() and self.optional:
            return self.model()
        value = parse_json(raw)
        if isinstance(value, dict):
            value = {name: part for name, part in value.items() if name not in self.read_only}
        try:
            return self.model.model_validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False)
            raise InvalidInput([fault_of(fault, show_value=not self.secret) for fault in found]) from None


async def read_body(request: Request) -> bytes:
    """The body, counted as it comes whatever Content-Length says; TooLarge beyond the setting."""
    _require_json(request.headers.get("content-type"))
    require_plain(request)
    most = api_of(request).core.settings.max_body_bytes
    require_room(request, most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge(f"the body is larger than {most} bytes")
    return bytes(body)


def require_plain(request: Request) -> None:
    """UnsupportedMediaType for what is packed: it would be taken, or kept, for something else."""
    coding = request.headers.get("content-encoding", "").strip().lower() or "identity"
    if coding != "identity":
        raise UnsupportedMediaType(f"the body is packed ({coding[:100]}); send it as it is, without Content-Encoding")


def require_room(request: Request, most: int) -> None:
    """TooLarge for what says itself that it is: nobody then sends, or waits for, what would be refused."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and (len(said) > _DIGITS or int(said) > most):
        raise TooLarge(f"the body is larger than {most} bytes")


def parse_json(raw: bytes) -> Any:
    """The value; InvalidInput for what is no JSON, too deep, or holds what no store can keep."""
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput.one("body", f"is not valid JSON: {error}") from None
    faults = list(_hostile(value, "", 1))
    if faults:
        raise InvalidInput(faults[:20])
    return value


def _require_json(content_type: str | None) -> None:
    """None given counts as JSON: clients that leave it out exist."""
    kind = (content_type or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType(f"the body is {kind}; send JSON with 'Content-Type: application/json'")


def _hostile(value: object, place: str, depth: int) -> Iterator[Fault]:
    if depth > _DEEPEST:
        yield Fault(place or "body", f"is nested deeper than {_DEEPEST} levels")
    elif isinstance(value, str):
        if "\0" in value:
            yield Fault(place or "body", "must not contain the NUL character")
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield Fault(place or "body", "is a number out of range")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _hostile(item, f"{place}.{index}".lstrip("."), depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _hostile(key, place, depth)
            yield from _hostile(item, f"{place}.{key}".lstrip("."), depth + 1)
