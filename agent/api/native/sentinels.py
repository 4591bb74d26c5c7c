"""Jobs that behave unlike themselves: what was noticed, and who knows of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Page, answers, json_answer, page_of
from agent.api.auth import Reader, Runner
from agent.api.context import api_of
from agent.api.native.keys import job_key
from agent.core.permissions.rules import Act, seen_by
from shared.models import Sentinel, SentinelKind
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["sentinels"])

_STATES = {"open": True, "closed": False, "all": None}


class SentinelsQuery(Input):
    job_id: str | None = None
    kind: SentinelKind | None = None
    state: Literal["open", "closed", "all"] = "open"
    before: Annotated[int, Field(ge=0, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@routes.get("/sentinels", **answers(200, Page[Sentinel], 404))
async def list_sentinels(request: Request, caller: Reader, query: Annotated[SentinelsQuery, Query()]) -> Response:
    """A page of them, newest first; open ones unless asked otherwise."""
    core = api_of(request).core
    found = await core.store.list_sentinels(
        caller.account_id,
        job_id=await job_key(core, caller, query.job_id),
        kind=query.kind,
        is_open=_STATES[query.state],
        before=query.before,
        limit=query.limit,
        seen_by=seen_by(caller),
    )
    page = page_of(found, [sentinel.number for sentinel in found], query.limit)
    return json_answer(Page[Sentinel].model_construct(items=page.items, before=page.before))


@routes.get("/sentinels/{sentinel_id}", **answers(200, Sentinel, 404))
async def get_sentinel(request: Request, caller: Reader, sentinel_id: str) -> Response:
    """One of them, open or closed."""
    core = api_of(request).core
    found = await core.store.get_sentinel(caller.account_id, sentinel_id)
    await core.access.of_job(caller, found.job_id, Act.READ, f"sentinel {sentinel_id}")
    return json_answer(found)


@routes.post("/sentinels/{sentinel_id}/_acknowledge", **answers(200, Sentinel, 404))
async def acknowledge_sentinel(request: Request, caller: Runner, sentinel_id: str) -> Response:
    """Say that somebody knows: it stays open until it is over, and is counted apart."""
    core = api_of(request).core
    found = await core.store.get_sentinel(caller.account_id, sentinel_id)
    await core.access.of_job(caller, found.job_id, Act.RUN, f"sentinel {sentinel_id}")
    known = await core.store.acknowledge_sentinel(caller.account_id, sentinel_id, caller.handle, core.clock.now())
    return json_answer(known)
