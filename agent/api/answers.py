"""Answers as bytes made by pydantic-core, and what a route declares about its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

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


def answers(ok: int, model: Any, *refused: int, error: Any = ErrorBody, always: tuple[int, ...] = _ALWAYS) -> Any:
    """Keyword arguments of a route: its success, and each refusal that it may give, with their bodies."""
    declared: dict[int, dict[str, Any]] = {ok: {"description": HTTPStatus(ok).phrase}}
    if model is not None:
        declared[ok]["model"] = model
    for status in sorted({*always, *refused}):
        declared[status] = {"model": error, "description": HTTPStatus(status).phrase}
    return {"status_code": ok, "responses": declared}


def versioned(resource: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The resource with its version as ETag."""
    return json_answer(resource, status, {"ETag": f'"{resource.version}"', **(headers or {})})


def expected_version(request: Request) -> int | None:
    """The version that If-Match names; None if the caller takes any."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    match = _VERSION.fullmatch(given.strip())
    if match is None:
        raise InvalidInput.one("If-Match", 'must be the version as the ETag gave it, as in "3"', given)
    return int(match.group(1))


def page_of(items: list[T], keys: list[int], limit: int) -> Page[T]:
    """`keys` are the items' numbers; a page that is not full is the last."""
    return Page(items=items, before=keys[-1] if len(items) == limit else None)
