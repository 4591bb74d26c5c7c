"""Answers as bytes made by pydantic-core, and what a route declares about its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from agent.api.errors import ErrorBody
from shared.errors import InvalidInput
from shared.models.base import Resource

T = TypeVar("T")
_VERSION = re.compile(r'(?:W/)?"?(\d{1,18})"?')
_ALWAYS = (400, 401, 403, 421, 429, 503)


class Items(Resource, Generic[T]):
    """A list that is answered whole."""

    items: list[T]


class Page(Resource, Generic[T]):
    """A keyset page: pass `before` for the next one; null: this was the last."""

    items: list[T]
    before: int | None = None


def json_answer(value: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = value.__pydantic_serializer__.to_json(value, by_alias=True)
    return Response(body, status, dict(headers or {}), "application/json")


def no_content() -> Response:
    return Response(status_code=204)


def answers(
    ok: int,
    model: Any,
    *refused: int,
    also: tuple[int, ...] = (),
    text: str | None = None,
    error: Any = ErrorBody,
    always: tuple[int, ...] = _ALWAYS,
) -> Any:
    """Keyword arguments of a route: its success, and each refusal that it may give, with their bodies.

    `also`: further statuses with the same model. `text`: the media type of a success that is no JSON.
    """
    declared: dict[int, dict[str, Any]] = {status: {"description": HTTPStatus(status).phrase} for status in (ok, *also)}
    for each in declared.values() if model is not None else ():
        each["model"] = model
    if text is not None:
        declared[ok]["content"] = {text: {"schema": {"type": "string"}}}
    for status in sorted({*always, *refused}):
        declared[status] = {"model": error, "description": HTTPStatus(status).phrase}
    return {"status_code": ok, "responses": declared, "response_class": JSONResponse if text is None else Response}


def versioned(resource: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The resource with its version as ETag."""
    return json_answer(resource, status, {"ETag": f'"{resource.version}"', **(headers or {})})


def _expected_version(if_match: Annotated[str | None, Header()] = None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise InvalidInput.one("If-Match", 'must be the version as the ETag gave it, as in "3"', if_match)
    return int(match.group(1))


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]
"""The version that If-Match names; None if the caller takes any."""


def page_of(items: list[T], keys: list[int], limit: int) -> Page[T]:
    """`keys` are the items' numbers; a page that is not full is the last."""
    return Page(items=items, before=keys[-1] if len(items) == limit else None)
