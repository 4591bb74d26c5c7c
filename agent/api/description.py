"""/openapi.json: what FastAPI derives from the routes, made true where it cannot know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from agent.api.auth import SCHEMES, Door
from agent.api.bodies import JsonBody

T = TypeVar("T")
_REFERENCE = "#/components/schemas/{model}-Input"


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description; made once."""
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = described["components"]["schemas"]
        for route in app.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                _correct(route, described["paths"][route.path_format], schemas)
        described["components"]["securitySchemes"] = SCHEMES
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = described
    return app.openapi_schema


def _correct(route: APIRoute, operations: dict[str, Any], schemas: dict[str, Any]) -> None:
    for method in route.methods or ():
        operation = operations[method.lower()]
        operation["operationId"] = route.name
        operation["responses"].pop("422", None)
        for door in _dependencies(route.dependant, Door):
            operation["security"] = [{name: [str(scope) for scope in door.scopes]} for name in SCHEMES]
        for body in _dependencies(route.dependant, JsonBody):
            operation["requestBody"] = {
                "required": not body.optional,
                "content": {"application/json": {"schema": _place(body.model, schemas)}},
            }


def _dependencies(dependant: Dependant, kind: type[T]) -> Iterator[T]:
    for each in dependant.dependencies:
        if isinstance(each.call, kind):
            yield each.call
        yield from _dependencies(each, kind)


def _place(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, str]:
    """Parts of inputs get names of their own: as outputs the same models require what has a default."""
    schema = model.model_json_schema(ref_template=_REFERENCE)
    for name, part in schema.pop("$defs", {}).items():
        schemas[f"{name}-Input"] = part
    schemas[model.__name__] = schema
    return {"$ref": f"#/components/schemas/{model.__name__}"}
