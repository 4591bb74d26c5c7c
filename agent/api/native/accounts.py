"""Accounts: for who administers the agent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer
from agent.api.auth import Admin
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.models import Account, AccountAllowance, AccountInput, AccountLimits

routes = APIRouter(prefix="/api", tags=["identity"])


@routes.get("/accounts", **answers(200, Items[Account]))
async def list_accounts(request: Request, caller: Admin) -> Response:
    """All accounts of the agent."""
    return json_answer(Items[Account](items=await api_of(request).gate.accounts.list(caller)))


@routes.post("/accounts", **answers(201, Account, 409, 413, 415))
async def create_account(
    request: Request, caller: Admin, given: Annotated[AccountInput, Depends(JsonBody(AccountInput))]
) -> Response:
    """Make an account; the agent's own user is its first administrator."""
    made = await api_of(request).gate.accounts.create(caller, given.id)
    return json_answer(made, 201, {"Location": f"/api/accounts/{made.id}"})


@routes.get("/accounts/{account_id}", **answers(200, Account, 404))
async def get_account(request: Request, caller: Admin, account_id: str) -> Response:
    """One account."""
    return json_answer(await api_of(request).gate.accounts.get(caller, account_id))


@routes.get("/accounts/{account_id}/limits", **answers(200, AccountAllowance, 404))
async def get_account_limits(request: Request, caller: Admin, account_id: str) -> Response:
    """What an account may have, and has; of one's own for who administers it, too."""
    return await _told(request, await api_of(request).gate.accounts.allowance(caller, account_id))


@routes.put("/accounts/{account_id}/limits", **answers(200, AccountAllowance, 404, 413, 415))
async def put_account_limits(
    request: Request, caller: Admin, account_id: str, given: Annotated[AccountLimits, Depends(JsonBody(AccountLimits))]
) -> Response:
    """Its own limits, all of them: what is left out or null is as the setting `limits` says."""
    return await _told(request, await api_of(request).gate.accounts.limit(caller, account_id, given))


@routes.post("/accounts/{account_id}/_disable", **answers(200, Account, 404, 409))
async def disable_account(request: Request, caller: Admin, account_id: str) -> Response:
    """Nobody calls for it any more, from this moment on; what is scheduled in it goes on."""
    return json_answer(await api_of(request).gate.accounts.disable(caller, account_id))


@routes.post("/accounts/{account_id}/_enable", **answers(200, Account, 404))
async def enable_account(request: Request, caller: Admin, account_id: str) -> Response:
    """Its users and their tokens work again."""
    return json_answer(await api_of(request).gate.accounts.enable(caller, account_id))


async def _told(request: Request, found: AccountAllowance) -> Response:
    """With what lies in files, which the store does not count."""
    storing = api_of(request).core.storing
    stored, rows = await storing.used(found.account_id), await storing.rows(found.account_id)
    use = found.use.model_copy(update={"stored_bytes": stored, "knowledge_rows": rows})
    return json_answer(found.model_copy(update={"use": use}))
