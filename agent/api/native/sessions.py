"""Logging in and out by name and password, and who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import answers, json_answer, no_content
from agent.api.auth import COOKIE, Known, sender_of
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.peers import is_encrypted, program_of
from agent.core.permissions.callers import Caller
from shared.models import LoginInput, Me
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["identity"])


class PasswordChange(Input):
    """One's own password."""

    current: Annotated[str, Field(max_length=2000)]
    password: Annotated[str, Field(max_length=2000)]


@routes.post("/auth/login", **answers(200, Me, 413, 415))
async def log_in(
    request: Request, given: Annotated[LoginInput, Depends(JsonBody(LoginInput, secret=True))]
) -> Response:
    """Begin a session, shown by a cookie from then on."""
    login = await api_of(request).gate.sessions.log_in(given, sender_of(request), program_of(request.headers))
    answer = json_answer(_me(login.caller))
    answer.set_cookie(
        COOKIE,
        login.cookie,
        max_age=int(login.lasts.total_seconds()),
        path="/",
        secure=is_encrypted(request.scope, request.headers),
        httponly=True,
        samesite="strict",
    )
    return answer


@routes.post("/auth/logout", **answers(204, None))
async def log_out(request: Request, _caller: Known) -> Response:
    """End the session that the request shows; a token stays as it is."""
    cookie = request.cookies.get(COOKIE)
    if cookie is not None:
        await api_of(request).gate.sessions.log_out(cookie)
        api_of(request).broadcast.note_access_change()
    answer = no_content()
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


@routes.put("/auth/password", **answers(204, None, 413, 415))
async def change_password(
    request: Request, caller: Known, given: Annotated[PasswordChange, Depends(JsonBody(PasswordChange, secret=True))]
) -> Response:
    """Set one's own password, by who knows the present one; one's other sessions end."""
    await api_of(request).gate.sessions.change_password(caller, given.current, given.password)
    return no_content()


@routes.get("/auth/me", **answers(200, Me))
async def get_me(caller: Known) -> Response:
    """Who is asking: account, user, scopes."""
    return json_answer(_me(caller))


@routes.get("/me", **answers(200, Me))
async def get_me_too(caller: Known) -> Response:
    """The same."""
    return json_answer(_me(caller))


def _me(caller: Caller) -> Me:
    return Me(
        account_id=caller.account_id,
        user_id=caller.user_id,
        handle=caller.handle,
        scopes=sorted(map(str, caller.scopes)),
        via=caller.via,
        token_id=caller.token_id,
        expires_at=caller.expires_at,
    )
