"""Drafts: edits of jobs, and jobs to be, that only their owner sees until they are committed."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, Items, answers, json_answer, no_content, versioned
from agent.api.auth import Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.native.linked import READ_ONLY, LinkedDraft, LinkedJob, linked
from agent.core.definitions.revisions import Comparison
from agent.core.jobs.jobs import JobCheck
from shared.models import DraftInput
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["drafts"])


class Rebase(Input):
    prefer: Literal["mine", "theirs"] | None = None
    """Whose value a field gets that both changed; null: it is refused."""


Unfinished = Annotated[DraftInput, Depends(JsonBody(DraftInput, optional=True, read_only=READ_ONLY))]


@routes.get("/drafts", **answers(200, Items[LinkedDraft]))
async def list_drafts(request: Request, caller: Reader) -> Response:
    """The caller's own, the one that was changed last first."""
    found = await api_of(request).core.drafts.list(caller)
    return json_answer(Items[LinkedDraft].model_construct(items=[linked(draft) for draft in found]))


@routes.post("/drafts", **answers(201, LinkedDraft, 413, 415))
async def start_draft(request: Request, caller: Editor, definition: Unfinished) -> Response:
    """Begin a job that does not exist yet."""
    return _made(linked(await api_of(request).core.drafts.start(caller, definition)))


@routes.post("/jobs/{job_id}/_edit", **answers(201, LinkedDraft, 404, 409, also=(200,)))
async def edit_job(request: Request, caller: Editor, job_id: str) -> Response:
    """The caller's draft of the job: 201 if it was made now, 200 if it was there."""
    draft, is_new = await api_of(request).core.drafts.edit(caller, job_id)
    return _made(linked(draft)) if is_new else versioned(linked(draft))


@routes.get("/jobs/{job_id}/draft", **answers(200, LinkedDraft, 404))
async def get_draft(request: Request, caller: Reader, job_id: str) -> Response:
    """The caller's draft of the job."""
    return versioned(linked(await api_of(request).core.drafts.get(caller, job_id)))


@routes.delete("/jobs/{job_id}/draft", **answers(204, None, 404, 409))
async def discard_draft(request: Request, caller: Editor, expected: ExpectedVersion, job_id: str) -> Response:
    """Forget the caller's draft; the job stays as it is."""
    await api_of(request).core.drafts.discard(caller, job_id, expected)
    return no_content()


@routes.get("/jobs/{job_id}/draft/diff", **answers(200, Comparison, 404, 409))
async def compare_draft(request: Request, caller: Reader, job_id: str) -> Response:
    """The fields in which it differs from the job as it is now, and when each would fire."""
    return json_answer(await api_of(request).core.drafts.compare(caller, job_id))


@routes.post("/jobs/{job_id}/_check", **answers(200, JobCheck, 404, 409))
async def check_draft(request: Request, caller: Editor, job_id: str) -> Response:
    """What publishing the draft would say; nothing is stored."""
    return json_answer(await api_of(request).core.drafts.check(caller, job_id))


@routes.post("/jobs/{job_id}/_rebase", **answers(200, LinkedDraft, 404, 409, 413, 415))
async def rebase_draft(
    request: Request, caller: Editor, job_id: str, wanted: Annotated[Rebase, Depends(JsonBody(Rebase, optional=True))]
) -> Response:
    """Take into the draft what others published since it was made; 409 names the fields that both changed."""
    return versioned(linked(await api_of(request).core.drafts.rebase(caller, job_id, wanted.prefer)))


@routes.post("/jobs/{job_id}/_commit", **answers(200, LinkedJob, 404, 409, also=(201,)))
async def commit_draft(request: Request, caller: Editor, job_id: str) -> Response:
    """Publish the draft and end it: the job's next revision, or 201 and a new job."""
    job = await api_of(request).core.drafts.commit(caller, job_id)
    is_new = job.revision == 1
    return versioned(linked(job), 201 if is_new else 200, {"Location": f"/api/jobs/{job.id}"} if is_new else None)


def _made(draft: LinkedDraft) -> Response:
    return versioned(draft, 201, {"Location": f"/api/jobs/{draft.id}"})
