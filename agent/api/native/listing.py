"""Jobs, many at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.hal import HalPage, hal_page
from agent.api.native.linked import LinkedJob, linked
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["jobs"])


class JobsQuery(Input):
    q: Annotated[str, Field(max_length=1000)] = ""
    sort: Annotated[str, Field(pattern="^-?(name|type|createdAt|updatedAt|nextRunAt|enabled)$")] = "name"
    limit: Annotated[int, Field(ge=1, le=200)] = 30
    start: Annotated[int, Field(ge=0, le=2**31)] = 0
    filter: Annotated[str, Field(max_length=2000)] = ""


@routes.get("/jobs", **answers(200, HalPage[LinkedJob]))
async def list_jobs(request: Request, caller: Reader, query: Annotated[JobsQuery, Query()]) -> Response:
    """A page of jobs."""
    found, total = await api_of(request).core.jobs.list(caller, **query.model_dump())
    jobs = [linked(job) for job in found]
    return json_answer(hal_page(request.url, "inf:job", jobs, start=query.start, limit=query.limit, total=total))
