"""The ledger: what became of every due moment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Page, answers, json_answer, page_of
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.native.keys import job_key
from agent.core.permissions.rules import seen_by
from shared.models import Fire, FireOutcome
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["fires"])


class FiresQuery(Input):
    job_id: str | None = None
    outcome: FireOutcome | None = None
    before: Annotated[int, Field(ge=0, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@routes.get("/fires", **answers(200, Page[Fire], 404))
async def list_fires(request: Request, caller: Reader, query: Annotated[FiresQuery, Query()]) -> Response:
    """A page of ledger rows, newest first."""
    core = api_of(request).core
    found = await core.store.list_fires(
        caller.account_id,
        job_id=await job_key(core, caller, query.job_id),
        outcome=query.outcome,
        before=query.before,
        limit=query.limit,
        seen_by=seen_by(caller),
    )
    page = page_of(found, [fire.id for fire in found], query.limit)
    return json_answer(Page[Fire].model_construct(items=page.items, before=page.before))
