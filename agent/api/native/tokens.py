"""Tokens: what programs and people elsewhere call the agent with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Known
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.models import NewToken, TokenInfo, TokenInput

routes = APIRouter(prefix="/api", tags=["identity"])


@routes.get("/tokens", **answers(200, Items[TokenInfo]))
async def list_tokens(request: Request, caller: Known) -> Response:
    """One's own tokens, without their text; for who has `admin`, those of the account."""
    return json_answer(Items[TokenInfo](items=await api_of(request).gate.tokens.list(caller)))


@routes.post("/tokens", **answers(201, NewToken, 404, 409, 413, 415))
async def create_token(
    request: Request, caller: Known, given: Annotated[TokenInput, Depends(JsonBody(TokenInput))]
) -> Response:
    """Make a token, for oneself or, with `admin`, for another user; its text is shown only now."""
    return json_answer(await api_of(request).gate.tokens.create(caller, given), 201)


@routes.delete("/tokens/{token_id}", **answers(204, None, 404, 409))
async def revoke_token(request: Request, caller: Known, token_id: str) -> Response:
    """By id, or by a name that one alone has: it opens nothing any more."""
    await api_of(request).gate.tokens.revoke(caller, token_id)
    return no_content()
