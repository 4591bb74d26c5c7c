"""Jobs, many at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field, TypeAdapter
from starlette.responses import Response, StreamingResponse

from agent.api.answers import answers, json_answer
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.hal import HalPage, hal_page
from agent.api.lean import LeanRoute
from agent.api.native.linked import LinkedJob, linked
from agent.core.jobs.overview import SeenJob
from agent.core.permissions.rules import LEVELS
from shared.models.base import Input, Resource
from shared.models.share import AccessLevel, JobPermissions, Share

routes = APIRouter(prefix="/api", tags=["jobs"], route_class=LeanRoute)


class Sharing(Resource):
    """`accessLevel`: 1 reads, 2 runs, 3 edits, 4 manages; `level` is its word."""

    principal_id: str
    access_level: int
    level: AccessLevel


class ListedJob(Resource):
    id: str
    name: str
    type: str
    enabled: bool
    owner_id: str
    owner_name: str
    natural_id: str
    tags: list[str]
    sharing: list[Sharing]
    permissions: JobPermissions


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


@routes.get("/jobs-list", **answers(200, list[ListedJob]))
async def list_all_jobs(request: Request, caller: Reader) -> Response:
    """All jobs that the caller may read, by name, and what it may do with each."""
    pages = api_of(request).core.overview.pages(caller)
    return StreamingResponse(_array(pages), media_type="application/json")


async def _array(pages: AsyncIterator[list[SeenJob]]) -> AsyncIterator[bytes]:
    """Sent as it is read: of many jobs nobody holds the whole text."""
    between = b"["
    async for page in pages:
        yield between + _MANY.dump_json([_listed(seen) for seen in page], by_alias=True)[1:-1]
        between = b","
    yield b"]" if between == b"," else b"[]"


def _listed(seen: SeenJob) -> ListedJob:
    head = seen.head
    return ListedJob(
        id=head.id,
        name=head.name,
        type=head.type,
        enabled=head.enabled,
        owner_id=head.owner_id,
        owner_name=head.owner,
        natural_id=f"{head.owner}:{head.slug}",
        tags=head.tags,
        sharing=[_sharing(share) for share in seen.shares],
        permissions=seen.permissions,
    )


def _sharing(share: Share) -> Sharing:
    level = share.access_level
    return Sharing(principal_id=share.principal_id, access_level=LEVELS.index(level) + 1, level=level)


_MANY = TypeAdapter(list[ListedJob])
