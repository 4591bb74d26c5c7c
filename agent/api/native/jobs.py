"""Jobs: published, replaced, paused, run, explained."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, answers, json_answer, no_content, versioned
from agent.api.auth import Deleter, Editor, Reader, Runner
from agent.api.bodies import JsonBody
from agent.api.context import Api, api_of
from agent.api.lean import LeanRoute
from agent.api.native.linked import READ_ONLY, LinkedDraft, LinkedJob, linked
from agent.api.waiting import wait_for_end
from agent.core.jobs.explaining import Explanation
from agent.core.jobs.jobs import JobCheck
from agent.core.permissions.callers import Caller
from agent.core.scheduling.fire_times import FireTimes
from shared.errors import Conflict, InvalidInput, NotFound
from shared.models import Draft, DraftInput, JobInput, Run
from shared.models.base import GivenInstant, Input
from shared.models.job import Dst, IntervalType, interval_type_of
from shared.models.share import OwnerInput
from shared.schedule import ScheduleSpec
from shared.states import FINAL

routes = APIRouter(prefix="/api", tags=["jobs"], route_class=LeanRoute)


class RunQuery(Input):
    wait: Annotated[float, Field(ge=0, le=60)] = 0


class FireTimesQuery(Input):
    interval: Annotated[str, Field(max_length=500)] | None = None
    interval_type: IntervalType | None = None
    timezone: str = "UTC"
    start_on: str | None = None
    end_on: str | None = None
    count: Annotated[int, Field(ge=1, le=1000)] = 10
    after: GivenInstant | None = None
    gap: Annotated[str, Field(pattern="^(after|skip)$")] | None = None
    fold: Annotated[str, Field(pattern="^(first|second|both)$")] | None = None


class JobOrFaults(JsonBody[JobInput]):
    """Wrong fields are what the check is for: they are handed on, not refused."""

    async def __call__(self, request: Request) -> Any:
        try:
            return await super().__call__(request)
        except InvalidInput as error:
            return error


Definition = Annotated[JobInput, Depends(JsonBody(JobInput, read_only=READ_ONLY))]
Replacement = Annotated[DraftInput, Depends(JsonBody(DraftInput, read_only=READ_ONLY))]
"""Of a job or of a draft, which need not be finished: which of the two is known when it is looked up."""


@routes.post("/jobs", **answers(201, LinkedJob, 409, 413, 415))
async def create_job(request: Request, caller: Editor, definition: Definition) -> Response:
    """Publish a job."""
    job = await api_of(request).core.jobs.create(caller, definition)
    return versioned(linked(job), 201, {"Location": f"/api/jobs/{job.id}"})


@routes.post("/jobs/_check", **answers(200, JobCheck, 413, 415))
async def check_job(
    request: Request, caller: Editor, definition: Annotated[Any, Depends(JobOrFaults(JobInput))]
) -> Response:
    """What publishing this definition would say; nothing is stored."""
    if isinstance(definition, InvalidInput):
        faults = [{"field": f.field, "message": f.message, "value": f.value, "code": f.code} for f in definition.faults]
        return json_answer(JobCheck(faults=faults))
    return json_answer(await api_of(request).core.jobs.check(caller, definition))


@routes.get("/job-fire-times", **answers(200, FireTimes))
async def job_fire_times(request: Request, _caller: Reader, query: Annotated[FireTimesQuery, Query()]) -> Response:
    """When a schedule would fire. Without `intervalType` the interval says by itself what it is."""
    dst = Dst.model_validate({"gap": query.gap, "fold": query.fold})
    kind = query.interval_type or interval_type_of(query.interval or "")
    spec = ScheduleSpec(kind, query.interval, query.timezone, query.start_on, query.end_on, dst)
    return json_answer(api_of(request).core.jobs.fire_times(spec, after=query.after, count=query.count))


@routes.get("/jobs/{job_id}", **answers(200, LinkedJob | LinkedDraft, 404))
async def get_job(request: Request, caller: Reader, job_id: str) -> Response:
    """One job, by id, by `owner:slug`, by slug; or the caller's draft, by its own id."""
    return versioned(linked(await api_of(request).core.editing.head(caller, job_id)))


@routes.put("/jobs/{job_id}", **answers(200, LinkedJob | LinkedDraft, 404, 409, 413, 415))
async def replace_job(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, definition: Replacement
) -> Response:
    """Publish the next revision; If-Match names the version that it was made from. Of a draft, only the draft."""
    return versioned(linked(await api_of(request).core.editing.replace(caller, job_id, definition, expected)))


@routes.delete("/jobs/{job_id}", **answers(204, None, 404, 409))
async def delete_job(request: Request, caller: Deleter, expected: ExpectedVersion, job_id: str) -> Response:
    """Delete a job: its name is free, its ledger and runs stay. Of a draft, only the draft."""
    await api_of(request).core.editing.delete(caller, job_id, expected)
    return no_content()


@routes.post("/jobs/{job_id}", **answers(202, Run, 404, 409, also=(200,)))
async def run_job(request: Request, caller: Runner, job_id: str, query: Annotated[RunQuery, Query()]) -> Response:
    """Run it now: 202 with the run; with `wait` seconds, 200 if it ended within them."""
    api = api_of(request)
    run = await _started(api, caller, job_id)
    if query.wait:
        run = await wait_for_end(api, caller, run, query.wait)
    return versioned(run, 200 if run.state in FINAL else 202, {"Location": f"/api/runs/{run.id}"})


@routes.post("/jobs/{job_id}/_pause", **answers(200, LinkedJob, 404, 409))
async def pause_job(request: Request, caller: Editor, job_id: str) -> Response:
    """From now on its moments are counted, not run."""
    return versioned(linked(await api_of(request).core.jobs.pause(caller, job_id)))


@routes.post("/jobs/{job_id}/_resume", **answers(200, LinkedJob, 404, 409))
async def resume_job(request: Request, caller: Editor, job_id: str) -> Response:
    """Its moments run again."""
    return versioned(linked(await api_of(request).core.jobs.resume(caller, job_id)))


@routes.put("/jobs/{job_id}/owner", name="put_job_owner", **answers(200, LinkedJob, 404, 409, 413, 415))
async def give_job(
    request: Request, caller: Editor, job_id: str, given: Annotated[OwnerInput, Depends(JsonBody(OwnerInput))]
) -> Response:
    """Give the job to another user of the account, as its owner or as an administrator; of its owner, to one who may
    see it."""
    return versioned(linked(await api_of(request).core.giving.give(caller, job_id, given.owner_id)))


@routes.get("/jobs/{job_id}/explain", **answers(200, Explanation, 404))
async def explain_job(request: Request, caller: Reader, job_id: str) -> Response:
    """Why it did, or did not, run."""
    return json_answer(await api_of(request).core.jobs.explain(caller, job_id))


async def _started(api: Api, caller: Caller, key: str) -> Run:
    try:
        return await api.core.jobs.run_now(caller, key)
    except NotFound:
        if isinstance(await api.core.editing.head(caller, key), Draft):
            raise Conflict("this is a draft; commit it, then the job can be run") from None
        raise
