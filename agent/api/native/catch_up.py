"""Missed fires that wait: for an operator, or for their turn."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import Reader, Runner
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.models import Backlog, HeldChoice, HeldDecision, ReleaseChoice

routes = APIRouter(prefix="/api/catch-up", tags=["fires"])

Discarded = Annotated[HeldChoice, Depends(JsonBody(HeldChoice))]
Released = Annotated[ReleaseChoice, Depends(JsonBody(ReleaseChoice))]


@routes.get("", **answers(200, Backlog))
async def get_backlog(request: Request, caller: Reader) -> Response:
    """How many missed fires wait, by job."""
    return json_answer(await api_of(request).core.catching_up.standing(caller))


@routes.post("/_release", **answers(200, HeldDecision, 404, 413, 415))
async def release_held(request: Request, caller: Runner, choice: Released) -> Response:
    """Let missed fires that wait for an operator run, under the rate. Doing it twice is doing it once."""
    return json_answer(await api_of(request).core.catching_up.release(caller, choice))


@routes.post("/_discard", **answers(200, HeldDecision, 404, 413, 415))
async def discard_held(request: Request, caller: Runner, choice: Discarded) -> Response:
    """Give missed fires up: they are never run."""
    return json_answer(await api_of(request).core.catching_up.discard(caller, choice))
