"""Secrets: their values go in and never come out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Admin, Editor
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.models import JobUsers, KeyRotation, Secret, SecretInput

routes = APIRouter(prefix="/api/secrets", tags=["world"])


@routes.get("", **answers(200, Items[Secret]))
async def list_secrets(request: Request, caller: Editor) -> Response:
    """Names of secrets, for those who may name them in jobs."""
    return json_answer(Items[Secret](items=await api_of(request).core.secrets.list(caller)))


@routes.get("/{name}", **answers(200, Secret, 404))
async def get_secret(request: Request, caller: Editor, name: str) -> Response:
    """That there is such a secret, whose it is, and since when."""
    return json_answer(await api_of(request).core.secrets.get(caller, name))


@routes.get("/{name}/jobs", **answers(200, JobUsers, 404))
async def list_users_of_secret(request: Request, caller: Editor, name: str) -> Response:
    """The jobs that name a secret, and fail without it; of those that the caller may not see, how many."""
    return json_answer(await api_of(request).core.secrets.users(caller, name))


@routes.post("/_rotate_key", **answers(200, KeyRotation))
async def rotate_secrets_key(request: Request, caller: Admin) -> Response:
    """Put all secrets of all accounts under a new key; for the agent's administrators."""
    return json_answer(await api_of(request).core.secrets.rotate_key(caller))


@routes.put("/{name}", **answers(204, None, 413, 415))
async def put_secret(
    request: Request,
    caller: Admin,
    name: str,
    given: Annotated[SecretInput, Depends(JsonBody(SecretInput, secret=True))],
) -> Response:
    """Set a secret; a new one is the caller's, and all of the account may use it unless it is private."""
    await api_of(request).core.secrets.put(caller, name, given)
    return no_content()


@routes.delete("/{name}", **answers(204, None, 404, 409))
async def delete_secret(request: Request, caller: Admin, name: str) -> Response:
    """Remove a secret that no connection uses."""
    await api_of(request).core.secrets.delete(caller, name)
    return no_content()
