"""A job's revisions: every published state of it, what changed between two, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, Page, answers, json_answer, page_of, versioned
from agent.api.auth import Editor, Reader
from agent.api.context import api_of
from agent.api.native.linked import LinkedJob, linked
from agent.core.definitions.revisions import Comparison
from shared.models import JobInput
from shared.models.base import Input, Instant, Resource

routes = APIRouter(prefix="/api/jobs/{job_id}/revisions", tags=["jobs"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class RevisionsQuery(Input):
    before: Annotated[int, Field(ge=1, le=2**31)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Revision(Resource):
    revision: int
    definition: JobInput
    author_id: str
    author: str | None = None
    """The author's handle; null: there is no such user any more."""
    restored_from: int | None = None
    """The revision whose definition this is, byte for byte."""
    created_at: Instant


@routes.get("", **answers(200, Page[Revision], 404, 409))
async def list_revisions(
    request: Request, caller: Reader, job_id: str, query: Annotated[RevisionsQuery, Query()]
) -> Response:
    """A page of published states, newest first."""
    found = await api_of(request).core.revisions.list(caller, job_id, query.before, query.limit)
    items = [Revision.model_validate(each) for each in found]
    return json_answer(page_of(items, [each.revision for each in items], query.limit))


@routes.get("/{revision}", **answers(200, Revision, 404, 409))
async def get_revision(request: Request, caller: Reader, job_id: str, revision: Number) -> Response:
    """One of them."""
    return json_answer(Revision.model_validate(await api_of(request).core.revisions.get(caller, job_id, revision)))


@routes.get("/{revision}/diff/{other}", **answers(200, Comparison, 404))
async def compare_revisions(request: Request, caller: Reader, job_id: str, revision: Number, other: Number) -> Response:
    """The fields in which they differ, and when each would fire from now on."""
    return json_answer(await api_of(request).core.revisions.compare(caller, job_id, revision, other))


@routes.post("/{revision}/_restore", **answers(200, LinkedJob, 404, 409))
async def restore_revision(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, revision: Number
) -> Response:
    """Publish its definition as the next revision; checked as every one is."""
    return versioned(linked(await api_of(request).core.revisions.restore(caller, job_id, revision, expected)))
