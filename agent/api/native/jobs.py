"""Jobs: published, replaced, paused, run, explained."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import URL
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, Items, answers, json_answer, no_content, versioned
from agent.api.auth import Deleter, Editor, Reader, Runner
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.waiting import wait_for_end
from agent.core.explaining import Explanation
from agent.core.jobs import FireTimes, JobCheck
from shared.errors import InvalidInput
from shared.models import Job, JobInput, Run
from shared.models.base import Input, Instant, Resource
from shared.models.job import Dst, IntervalType
from shared.schedule import ScheduleSpec
from shared.states import FINAL

routes = APIRouter(prefix="/api", tags=["jobs"])


_READ_ONLY = frozenset(
    field.alias or name for name, field in Job.model_fields.items() if name not in JobInput.model_fields
)


class JobsQuery(Input):
    q: Annotated[str, Field(max_length=1000)] = ""
    sort: Annotated[str, Field(pattern="^-?(name|type|createdAt|updatedAt|nextRunAt|enabled)$")] = "name"
    limit: Annotated[int, Field(ge=1, le=200)] = 30
    start: Annotated[int, Field(ge=0, le=2**31)] = 0
    filter: Annotated[str, Field(max_length=2000)] = ""


class RunQuery(Input):
    wait: Annotated[float, Field(ge=0, le=60)] = 0


class FireTimesQuery(Input):
    interval: Annotated[str, Field(max_length=500)] | None = None
    interval_type: IntervalType
    timezone: str = "UTC"
    start_on: str | None = None
    end_on: str | None = None
    count: Annotated[int, Field(ge=1, le=1000)] = 10
    after: Instant | None = None
    gap: Annotated[str, Field(pattern="^(after|skip)$")] | None = None
    fold: Annotated[str, Field(pattern="^(first|second|both)$")] | None = None


class Revision(Resource):
    revision: int
    definition: JobInput
    author_id: str
    created_at: Instant


class Link(BaseModel):
    href: str


class JobPage(BaseModel):
    """HAL: a page of jobs."""

    model_config = ConfigDict(populate_by_name=True)

    links: dict[str, Link] = Field(alias="_links")
    embedded: dict[str, list[Job]] = Field(alias="_embedded")
    start: int
    count: int
    total: int


class JobOrFaults(JsonBody[JobInput]):
    """Wrong fields are what the check is for: they are handed on, not refused."""

    async def __call__(self, request: Request) -> Any:
        try:
            return await super().__call__(request)
        except InvalidInput as error:
            return error


Definition = Annotated[JobInput, Depends(JsonBody(JobInput))]
Replacement = Annotated[JobInput, Depends(JsonBody(JobInput, read_only=_READ_ONLY))]


@routes.get("/jobs", **answers(200, JobPage))
async def list_jobs(request: Request, caller: Reader, query: Annotated[JobsQuery, Query()]) -> Response:
    """A page of jobs."""
    found, total = await api_of(request).core.jobs.list(caller, **query.model_dump())
    page = JobPage.model_construct(
        links={"self": Link(href=_own_path(request.url))},
        embedded={"inf:job": found},
        start=query.start,
        count=len(found),
        total=total,
    )
    return json_answer(page)


@routes.post("/jobs", **answers(201, Job, 409, 413, 415))
async def create_job(request: Request, caller: Editor, definition: Definition) -> Response:
    """Publish a job."""
    job = await api_of(request).core.jobs.create(caller, definition)
    return versioned(job, 201, {"Location": f"/api/jobs/{job.id}"})


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
    """When a schedule would fire."""
    dst = Dst.model_validate({"gap": query.gap, "fold": query.fold})
    spec = ScheduleSpec(query.interval_type, query.interval, query.timezone, query.start_on, query.end_on, dst)
    return json_answer(api_of(request).core.jobs.fire_times(spec, after=query.after, count=query.count))


@routes.get("/jobs/{job_id}", **answers(200, Job, 404))
async def get_job(request: Request, caller: Reader, job_id: str) -> Response:
    """One job: by id, by `owner:slug`, by slug."""
    return versioned(await api_of(request).core.jobs.get(caller, job_id))


@routes.put("/jobs/{job_id}", **answers(200, Job, 404, 409, 413, 415))
async def replace_job(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, definition: Replacement
) -> Response:
    """Publish the next revision; If-Match names the version that it was made from."""
    return versioned(await api_of(request).core.jobs.replace(caller, job_id, definition, expected))


@routes.delete("/jobs/{job_id}", **answers(204, None, 404, 409))
async def delete_job(request: Request, caller: Deleter, expected: ExpectedVersion, job_id: str) -> Response:
    """Delete a job: its name is free, its ledger and runs stay."""
    await api_of(request).core.jobs.delete(caller, job_id, expected)
    return no_content()


@routes.post("/jobs/{job_id}", **answers(202, Run, 404, 409, also=(200,)))
async def run_job(request: Request, caller: Runner, job_id: str, query: Annotated[RunQuery, Query()]) -> Response:
    """Run it now: 202 with the run; with `wait` seconds, 200 if it ended within them."""
    api = api_of(request)
    run = await api.core.jobs.run_now(caller, job_id)
    if query.wait:
        run = await wait_for_end(api, caller, run, query.wait)
    return versioned(run, 200 if run.state in FINAL else 202, {"Location": f"/api/runs/{run.id}"})


@routes.post("/jobs/{job_id}/_pause", **answers(200, Job, 404, 409))
async def pause_job(request: Request, caller: Editor, job_id: str) -> Response:
    """From now on its moments are counted, not run."""
    return versioned(await api_of(request).core.jobs.pause(caller, job_id))


@routes.post("/jobs/{job_id}/_resume", **answers(200, Job, 404, 409))
async def resume_job(request: Request, caller: Editor, job_id: str) -> Response:
    """Its moments run again."""
    return versioned(await api_of(request).core.jobs.resume(caller, job_id))


@routes.get("/jobs/{job_id}/explain", **answers(200, Explanation, 404))
async def explain_job(request: Request, caller: Reader, job_id: str) -> Response:
    """Why it did, or did not, run."""
    return json_answer(await api_of(request).core.jobs.explain(caller, job_id))


@routes.get("/jobs/{job_id}/revisions", **answers(200, Items[Revision], 404))
async def list_revisions(request: Request, caller: Reader, job_id: str) -> Response:
    """Every published state, newest first."""
    found = await api_of(request).core.jobs.revisions(caller, job_id)
    return json_answer(Items[Revision](items=[Revision.model_validate(each) for each in found]))


def _own_path(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path
