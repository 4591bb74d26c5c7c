"""Routes that find what they depend on by what was known when they were declared.

FastAPI takes the signature of a route and of each dependency apart again at every request: for a small page that is
longer than the question to the store. What is read, checked and refused is the same. This stands on what is FastAPI's
own (`Dependant`): so pyproject.toml holds its minor, and tests/unit/test_lean.py compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from inspect import isawaitable
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams
from starlette.responses import Response

_NOT_GIVEN = (
    "websocket_param_name", "http_connection_param_name", "response_param_name", "background_tasks_param_name",
    "security_scopes_param_name",
)  # fmt: skip
_LISTS = (list, set, frozenset, tuple)


class LeanRoute(APIRoute):
    """For endpoints that are coroutines and answer with a Response. What they and their dependencies ask for is the
    request, other dependencies, and parameters of the path, the query or the headers; a model takes the whole query."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        needed, endpoint = _Needed(self.dependant), self.endpoint

        async def handle(request: Request) -> Response:
            errors: list[Any] = []
            values = await needed.of(request, {}, errors)
            if errors:
                raise RequestValidationError(errors)
            answer: Response = await endpoint(**values)
            return answer

        return handle


class _Needed:
    """Of one function: the route's own, or a dependency's."""

    def __init__(self, dependant: Dependant) -> None:
        assert not dependant.body_params, "a body is read by a JsonBody"
        assert not dependant.cookie_params, "cookies are read at the door"
        for name in _NOT_GIVEN:
            assert getattr(dependant, name) is None, f"a lean route gives no {name}"
        self._request_name = dependant.request_param_name
        self._dependencies = [(each.name, _called(each), _Needed(each)) for each in dependant.dependencies]
        self._parameters: list[_Parameter | _WholeQuery] = [
            *(_Parameter(field, "path", lambda request: request.path_params) for field in dependant.path_params),
            *(_query(field) for field in dependant.query_params),
            *(_Parameter(field, "header", lambda request: request.headers) for field in dependant.header_params),
        ]

    async def of(self, request: Request, known: dict[Any, Any], errors: list[Any]) -> dict[str, Any]:
        """Its arguments; `known` are those of this request's dependencies that have answered."""
        values: dict[str, Any] = {}
        for name, call, needed in self._dependencies:
            if call not in known:
                wrong = len(errors)
                given = await needed.of(request, known, errors)
                if len(errors) > wrong:
                    continue
                answer = call(**given)
                known[call] = await answer if isawaitable(answer) else answer
            if name is not None:
                values[name] = known[call]
        for parameter in self._parameters:
            values[parameter.name] = parameter.of(request, errors)
        if self._request_name is not None:
            values[self._request_name] = request
        return values


def _called(dependant: Dependant) -> Callable[..., Any]:
    assert dependant.call is not None
    return dependant.call


class _Parameter:
    """One value, named `alias` where it is said."""

    def __init__(self, field: Any, place: str, said: Callable[[Request], Mapping[str, str]]) -> None:
        assert not _takes_many(field.field_info), "lists stand in a model of the whole query"
        self.name: str = field.name
        self._field = field
        self._alias: str = field.validation_alias or field.alias
        self._at = (place, self._alias)
        self._said = said

    def of(self, request: Request, errors: list[Any]) -> Any:
        value = self._said(request).get(self._alias)
        if value is None:
            if not self._field.field_info.is_required():
                return self._field.get_default()
            errors.append({"type": "missing", "loc": self._at, "msg": "Field required", "input": None})
            return None
        checked, wrong = self._field.validate(value, loc=self._at)
        errors += wrong
        return checked


class _WholeQuery:
    """A model of all that is asked; what it does not know is its own to refuse."""

    def __init__(self, field: Any, model: type[BaseModel]) -> None:
        self.name: str = field.name
        self._field = field
        of_lists = [(name, known) for name, known in model.model_fields.items() if _takes_many(known)]
        self._lists = {each for name, known in of_lists for each in (name, known.alias or name)}

    def of(self, request: Request, errors: list[Any]) -> Any:
        checked, wrong = self._field.validate(self._given(request.query_params), loc=("query",))
        errors += wrong
        return checked

    def _given(self, said: QueryParams) -> dict[str, Any]:
        """Of what is said twice the last counts, unless it is a list."""
        given: dict[str, Any] = {}
        for name, value in said.multi_items():
            if name in self._lists:
                given.setdefault(name, []).append(value)
            else:
                given[name] = value
        return given


def _query(field: Any) -> _Parameter | _WholeQuery:
    annotation = field.field_info.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _WholeQuery(field, annotation)
    return _Parameter(field, "query", lambda request: request.query_params)


def _takes_many(field: FieldInfo) -> bool:
    kinds = (field.annotation, *get_args(field.annotation))
    return any(kind in _LISTS or get_origin(kind) in _LISTS for kind in kinds)
