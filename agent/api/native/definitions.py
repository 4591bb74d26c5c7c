"""Jobs as code: definitions planned and applied, and the definitions folder."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import Admin, Editor
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.models.applying import Changes, DefinitionsReport, GivenDefinitions

routes = APIRouter(prefix="/api/definitions", tags=["jobs"])

Given = Annotated[GivenDefinitions, Depends(JsonBody(GivenDefinitions))]


@routes.get("", **answers(200, DefinitionsReport))
async def get_definitions_folder(request: Request, caller: Admin) -> Response:
    """What the agent made of its definitions folder; to another account than its jobs' there is none."""
    report = api_of(request).core.defining.report
    return json_answer(report if report.account_id == caller.account_id else DefinitionsReport())


@routes.post("/_plan", **answers(200, Changes, 413, 415))
async def plan_definitions(request: Request, caller: Editor, given: Given) -> Response:
    """What applying these definitions would change; nothing is stored."""
    return json_answer(await api_of(request).core.applying.plan(caller, given.definitions))


@routes.post("/_apply", **answers(200, Changes, 409, 413, 415))
async def apply_definitions(request: Request, caller: Editor, given: Given) -> Response:
    """Create and replace jobs as defined; with a refusal among the changes, nothing was changed."""
    return json_answer(await api_of(request).core.applying.apply(caller, given.definitions))
