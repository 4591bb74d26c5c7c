"""Users of the account; for who administers the agent, of all accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Admin
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.models import LinkInput, MembershipInput, User, UserInput
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["identity"])


class NewPassword(Input):
    password: Annotated[str, Field(max_length=2000)]


class SwitchInput(Input):
    """`account`: in this one only. An account's administrator always means its own."""

    account: str | None = None


Switch = Annotated[SwitchInput, Depends(JsonBody(SwitchInput, optional=True))]


@routes.get("/users", **answers(200, Items[User]))
async def list_users(request: Request, caller: Admin) -> Response:
    """Who may call."""
    return json_answer(Items[User](items=await api_of(request).gate.users.list(caller)))


@routes.post("/users", **answers(201, User, 404, 409, 413, 415))
async def create_user(
    request: Request, caller: Admin, given: Annotated[UserInput, Depends(JsonBody(UserInput, secret=True))]
) -> Response:
    """Make a user of the account, with a role."""
    made = await api_of(request).gate.users.create(caller, given)
    return json_answer(made, 201, {"Location": f"/api/users/{made.id}"})


@routes.get("/users/{key}", **answers(200, User, 404))
async def get_user(request: Request, caller: Admin, key: str) -> Response:
    """One user, by id or handle."""
    return json_answer(await api_of(request).gate.users.get(caller, key))


@routes.put("/users/{key}/membership", **answers(200, User, 404, 409, 413, 415))
async def put_membership(
    request: Request, caller: Admin, key: str, given: Annotated[MembershipInput, Depends(JsonBody(MembershipInput))]
) -> Response:
    """Give the user a role in the account."""
    return json_answer(await api_of(request).gate.users.put_membership(caller, key, given))


@routes.put("/users/{key}/password", **answers(204, None, 404, 413, 415))
async def put_password(
    request: Request,
    caller: Admin,
    key: str,
    given: Annotated[NewPassword, Depends(JsonBody(NewPassword, secret=True))],
) -> Response:
    """Set the user's password; the user's sessions end."""
    await api_of(request).gate.users.set_password(caller, key, given.password)
    return no_content()


@routes.put("/users/{key}/link", **answers(200, User, 404, 409, 413, 415))
async def link_user(
    request: Request, caller: Admin, key: str, given: Annotated[LinkInput, Depends(JsonBody(LinkInput))]
) -> Response:
    """Let the issuer's bearers for that subject be the user; for who administers the agent."""
    return json_answer(await api_of(request).gate.users.link(caller, key, given))


@routes.delete("/users/{key}/link", **answers(200, User, 404, 409))
async def unlink_user(request: Request, caller: Admin, key: str) -> Response:
    """No bearer is the user any more, from this moment on."""
    return json_answer(await api_of(request).gate.users.unlink(caller, key))


@routes.post("/users/{key}/_disable", **answers(200, User, 404, 409, 413, 415))
async def disable_user(request: Request, caller: Admin, key: str, given: Switch) -> Response:
    """The user's sessions end and tokens open nothing, from this moment on."""
    return json_answer(await api_of(request).gate.users.disable(caller, key, given.account))


@routes.post("/users/{key}/_enable", **answers(200, User, 404, 409, 413, 415))
async def enable_user(request: Request, caller: Admin, key: str, given: Switch) -> Response:
    """Tokens work again; who was logged in logs in anew."""
    return json_answer(await api_of(request).gate.users.enable(caller, key, given.account))
