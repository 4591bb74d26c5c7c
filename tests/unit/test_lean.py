"""`LeanRoute` does by itself what FastAPI does inside: each minor of FastAPI is taken up after this has passed."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from packaging.requirements import Requirement
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from agent.api.lean import LeanRoute

_READ = {"request_param_name", "dependencies", "name", "call", "path_params", "query_params", "header_params"}
_REFUSED = {
    "body_params", "cookie_params", "websocket_param_name", "http_connection_param_name", "response_param_name",
    "background_tasks_param_name", "security_scopes_param_name",
}  # fmt: skip
_WITHOUT_EFFECT_HERE = {"own_oauth_scopes", "parent_oauth_scopes", "use_cache", "path", "scope", "concurrency"}
_HOW = (
    "FastAPI's Dependant is another than agent/api/lean.py was written for. Read what is new or gone, mend `_Needed`,"
    " then this list and the bounds in pyproject.toml."
)


def test_what_a_route_asks_for_is_told_where_lean_routes_read_it() -> None:
    assert {field.name for field in fields(Dependant)} == _READ | _REFUSED | _WITHOUT_EFFECT_HERE, _HOW


def test_fastapi_stays_within_the_minor_that_was_looked_at() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    [bound] = [each for each in map(Requirement, project["dependencies"]) if each.name == "fastapi"]
    major, minor, *_ = map(int, version("fastapi").split("."))
    assert bound.specifier.contains(version("fastapi"))
    assert not bound.specifier.contains(f"{major}.{minor + 1}.0"), "another minor may be another inside"


class Asked(BaseModel):
    least: Annotated[int, Field(ge=1)] = 10
    state: Annotated[list[str], Field(max_length=2)] = []
    camel: str | None = Field(None, alias="camelCase")


def _counted(request: Request, x_calls: Annotated[int, Header()] = 0) -> list[int]:
    request.state.calls = getattr(request.state, "calls", 0) + 1
    return [request.state.calls, x_calls]


async def _outer(inner: Annotated[list[int], Depends(_counted)], version: Annotated[int | None, Query()] = None) -> Any:
    return {"inner": inner, "version": version}


def _app(route: type[APIRoute]) -> FastAPI:
    routes = APIRouter(route_class=route)

    @routes.get("/things/{key}/{number}")
    async def get(
        request: Request,
        key: str,
        number: int,
        asked: Annotated[Asked, Query()],
        outer: Annotated[Any, Depends(_outer)],
        inner: Annotated[list[int], Depends(_counted)],
        if_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        found = {"key": key, "number": number, "asked": asked.model_dump(), "outer": outer, "inner": inner}
        return JSONResponse({**found, "match": if_match, "path": request.url.path})

    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.include_router(routes)
    return app


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/things/a/1", {}),
        ("/things/a%20b/1?least=3&state=x&state=y&camelCase=c&version=7", {"If-Match": '"2"', "X-Calls": "5"}),
        ("/things/a/1?least=3&least=4&version=1&version=2&unknown=1", {}),
        ("/things/a/one?least=0&version=x", {"X-Calls": "many"}),
        ("/things/a/1?least=0", {}),
        ("/things/a/1?state=x&state=y&state=z", {}),
        ("/things/a/1?version=x", {}),
        ("/things/a/1", {"X-Calls": "many"}),
    ],
)
async def test_a_lean_route_answers_as_fastapis_own_does(path: str, headers: dict[str, str]) -> None:
    answers = []
    for route in (APIRoute, LeanRoute):
        transport = httpx.ASGITransport(_app(route))
        async with httpx.AsyncClient(transport=transport, base_url="http://agent.test") as client:
            answers.append(await client.get(path, headers=headers))
    own, lean = answers
    assert lean.status_code == own.status_code
    assert _said(lean) == _said(own), _HOW


def _said(answer: httpx.Response) -> Any:
    said = answer.json()
    return sorted(map(str, said["detail"])) if answer.status_code == 422 else said


def test_what_a_lean_route_would_leave_out_is_refused_when_it_is_declared() -> None:
    routes = APIRouter(route_class=LeanRoute)

    async def wants_the_answer(response: Response) -> Response:
        return response

    with pytest.raises(AssertionError, match="response_param_name"):
        routes.get("/")(wants_the_answer)
