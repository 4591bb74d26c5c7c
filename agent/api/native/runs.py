"""Runs: read, followed, cancelled, run again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, ValidationInfo, field_validator
from starlette.responses import Response

from agent.api.answers import Items, Page, answers, json_answer, versioned
from agent.api.auth import Reader, Runner
from agent.api.bodies import JsonBody
from agent.api.context import Api, api_of
from agent.api.errors import ErrorDetail
from agent.api.frames import END, RETRY, lines_frame
from agent.api.lean import LeanRoute
from agent.api.native.keys import Resumed, job_key
from agent.api.streams import stream_answer, until_closing
from agent.core.permissions.audit import acting
from agent.core.permissions.callers import Caller
from shared.errors import JobdeckError
from shared.models import LogPage, Run, Step
from shared.models.base import Input, Instant, Resource

routes = APIRouter(prefix="/api", tags=["runs"], route_class=LeanRoute)
_FURTHEST = 2**62
Change = Callable[[Caller, str, int | None], Awaitable[Run]]
Number = Annotated[int, Field(ge=0, le=_FURTHEST)]


class RunsQuery(Input):
    filter: Annotated[str, Field(max_length=2000)] = ""
    job_id: str | None = None
    before: Number | None = None
    after: Number | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    sort: Literal["-number", "number"] = "-number"


class CountsQuery(Input):
    filter: Annotated[str, Field(max_length=2000)] = ""


class LogQuery(Input):
    start: Annotated[int, Field(ge=-_FURTHEST, le=_FURTHEST)] = 1
    limit: Annotated[int, Field(ge=1, le=5000)] = 200


class FollowQuery(Input):
    start: Annotated[int, Field(ge=-_FURTHEST, le=_FURTHEST)] = 1


class VersionInput(Input):
    version: int | None = None


class CancelInput(VersionInput):
    undoable: bool = False
    """A run that waits is cancelled after the agent's `undo_delay`, and `_uncancel` takes it back until then."""


class RerunInput(VersionInput):
    own_revision: bool = False
    """As the run itself was defined, and not as its job is now; where the two differ, for editors of the job."""


class BulkRun(Input):
    id: str
    version: int | None = None


class BulkInput(Input):
    act: Literal["cancel", "uncancel", "rerun"]
    runs: Annotated[list[BulkRun], Field(min_length=1, max_length=500)]
    undoable: bool = False
    """Of cancels, as in CancelInput."""
    own_revision: bool = False
    """Of reruns, as in RerunInput."""

    @field_validator("undoable")
    @classmethod
    def _of_cancels(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  (pydantic's signature)
        if value and info.data.get("act") != "cancel":
            raise ValueError("only the act cancel can be undoable")
        return value

    @field_validator("own_revision")
    @classmethod
    def _of_reruns(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  (pydantic's signature)
        if value and info.data.get("act") != "rerun":
            raise ValueError("only the act rerun has a revision")
        return value


class BulkResult(Resource):
    id: str
    ok: bool
    run: Run | None = None
    error: ErrorDetail | None = None


class RunCounts(Resource):
    counts: dict[str, int]
    total: int
    complete: bool = True
    """False: with this filter there was no time to count the oldest runs too."""


class Attempt(Resource):
    """One claim of the run by a worker, and how it ended. `evidence` is what came too late to count."""

    attempt: int
    worker_id: str | None = None
    claimed_at: Instant | None = None
    ended_at: Instant | None = None
    outcome: str | None = None
    error: dict[str, Any] | None = None
    evidence: Any = None


Version = Annotated[VersionInput, Depends(JsonBody(VersionInput, optional=True))]
Rerun = Annotated[RerunInput, Depends(JsonBody(RerunInput, optional=True))]
Cancel = Annotated[CancelInput, Depends(JsonBody(CancelInput, optional=True))]


@routes.get("/runs", **answers(200, Page[Run], 404))
async def list_runs(request: Request, caller: Reader, query: Annotated[RunsQuery, Query()]) -> Response:
    """A page of runs, newest first. One that is not full still has `before` where a filter let too little through
    for the time of an answer: go on from there."""
    core = api_of(request).core
    job_id = await job_key(core, caller, query.job_id)
    page = await core.runs.page(caller, **(query.model_dump() | {"job_id": job_id}))
    return json_answer(Page[Run].model_construct(items=page.runs, before=page.before))


@routes.get("/runs/counts", **answers(200, RunCounts))
async def count_runs(request: Request, caller: Reader, query: Annotated[CountsQuery, Query()]) -> Response:
    """How many runs there are, by state; with a filter, how many match."""
    tally = await api_of(request).core.runs.tally(caller, query.filter)
    return json_answer(RunCounts(counts=tally.counts, total=sum(tally.counts.values()), complete=tally.complete))


@routes.post("/runs/_bulk", **answers(200, Items[BulkResult], 413, 415))
async def change_runs(
    request: Request, caller: Runner, wanted: Annotated[BulkInput, Depends(JsonBody(BulkInput))]
) -> Response:
    """One act on many runs: each succeeds or is refused by itself. Asked for together, they share commits."""
    api = api_of(request)
    change = _changes(api, wanted)
    results = await asyncio.gather(*(_changed(api, change, caller, each) for each in wanted.runs))
    return json_answer(Items[BulkResult](items=list(results)))


@routes.get("/runs/{run_id}", **answers(200, Run, 404))
async def get_run(request: Request, caller: Reader, run_id: str) -> Response:
    """One run."""
    return versioned(await api_of(request).core.runs.get(caller, run_id))


@routes.get("/runs/{run_id}/steps", **answers(200, Items[Step], 404))
async def list_steps(request: Request, caller: Reader, run_id: str) -> Response:
    """Its steps, in order."""
    return json_answer(Items[Step](items=await api_of(request).core.runs.steps(caller, run_id)))


@routes.get("/runs/{run_id}/attempts", **answers(200, Items[Attempt], 404))
async def list_attempts(request: Request, caller: Reader, run_id: str) -> Response:
    """Its attempts, oldest first."""
    found = await api_of(request).core.runs.attempts(caller, run_id)
    return json_answer(Items[Attempt](items=[Attempt.model_validate(each) for each in found]))


@routes.get("/runs/{run_id}/log", **answers(200, LogPage, 404))
async def read_log(request: Request, caller: Reader, run_id: str, query: Annotated[LogQuery, Query()]) -> Response:
    """Lines of its log; a negative `start` counts from the end."""
    return json_answer(await api_of(request).core.runs.log(caller, run_id, query.start, query.limit))


@routes.get("/runs/{run_id}/log/follow", **answers(200, None, 404, text="text/event-stream"))
async def follow_log(
    request: Request, caller: Reader, run_id: str, query: Annotated[FollowQuery, Query()], resumed: Resumed
) -> Response:
    """Its log as it is written: `lines` with a LogPage each, `end` when the run is over. Last-Event-ID resumes."""
    api = api_of(request)
    start = await _first_line(api, caller, run_id, query.start) if resumed is None else resumed + 1
    pages = await api.core.runs.follow(caller, run_id, start)

    async def may_hear(now: Caller) -> bool:
        with suppress(JobdeckError):
            await api.core.runs.get(now, run_id)
            return True
        return False

    return stream_answer(request, _told(until_closing(pages, api.broadcast.closing), api), may_hear)


@routes.post("/runs/{run_id}/_cancel", **answers(200, Run, 404, 409, 413, 415))
async def cancel_run(request: Request, caller: Runner, run_id: str, wanted: Cancel) -> Response:
    """Ask it to end; what waits is cancelled at once, or, if undoable, after the agent's `undo_delay`."""
    run = await api_of(request).core.runs.cancel(caller, run_id, wanted.version, undoable=wanted.undoable)
    return versioned(run)


@routes.post("/runs/{run_id}/_uncancel", **answers(200, Run, 404, 409, 413, 415))
async def uncancel_run(request: Request, caller: Runner, run_id: str, wanted: Version) -> Response:
    """Take back an undoable cancel that has not taken effect."""
    return versioned(await api_of(request).core.runs.uncancel(caller, run_id, wanted.version))


@routes.post("/runs/{run_id}/_rerun", **answers(201, Run, 404, 409, 413, 415))
async def rerun_run(request: Request, caller: Runner, run_id: str, wanted: Rerun) -> Response:
    """A new run that names this one."""
    run = await api_of(request).core.runs.rerun(caller, run_id, wanted.version, own_revision=wanted.own_revision)
    return versioned(run, 201, {"Location": f"/api/runs/{run.id}"})


def _changes(api: Api, wanted: BulkInput) -> Change:
    runs = api.core.runs
    match wanted.act:
        case "cancel":
            return partial(runs.cancel, undoable=wanted.undoable)
        case "uncancel":
            return runs.uncancel
        case "rerun":
            return partial(runs.rerun, own_revision=wanted.own_revision)


async def _changed(api: Api, change: Change, caller: Caller, wanted: BulkRun) -> BulkResult:
    try:
        run = await change(caller, wanted.id, wanted.version)
    except JobdeckError as error:
        who = acting()
        if who is not None:
            await api.core.audit.note(who, error, [wanted.id])
        return BulkResult(id=wanted.id, ok=False, error=ErrorDetail(code=error.code, message=error.message))
    return BulkResult(id=wanted.id, ok=True, run=run)


async def _first_line(api: Api, caller: Caller, run_id: str, start: int) -> int:
    if start > 0:
        return start
    page = await api.core.runs.log(caller, run_id, start or 1, 1)
    return page.lines[0].number if page.lines else 1


async def _told(pages: AsyncIterator[LogPage], api: Api) -> AsyncIterator[bytes]:
    yield RETRY
    async for page in pages:
        yield lines_frame(page)
    if not api.broadcast.closing.is_set():
        yield END
