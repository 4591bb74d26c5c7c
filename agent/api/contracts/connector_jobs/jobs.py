"""Their jobs: runs that sync or reset."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from agent.api.answers import json_answer, no_content
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.contracts.connector_jobs.words import (
    STATUS,
    Limit,
    Listed,
    Offset,
    PageQuery,
    ReaderHere,
    RunnerHere,
    ShortText,
    Since,
    Status,
    Until,
    connector_answers,
    connector_routes,
    duration_of,
    states_of,
)
from agent.core.ports.syncs import SyncOrder, SyncQuery, SyncRun
from agent.core.world.syncing import RESET, SYNC
from shared.errors import Conflict, InvalidInput, NotFound
from shared.models.base import Instant
from shared.models.built import built

routes = connector_routes()
JobType = Literal["sync", "reset"]
_TYPES: dict[JobType, str] = {"sync": SYNC, "reset": RESET}
_ORDERS = "start_time|status|job_type|duration"


class MissingConnection(NotFound):
    code = "CONNECTOR_CONNECTION_NOT_FOUND"


class NotCancellable(Conflict):
    code = "CONNECTOR_JOB_NOT_CANCELLABLE"


class JobsQuery(PageQuery):
    connection_id: ShortText | None = None
    job_type: JobType | None = None
    status: Status | None = None
    order_by: Annotated[str, Field(pattern=f"^-?({_ORDERS})$")] | None = None
    created_after: Since = None
    created_before: Until = None


class TriggerInput(BaseModel):
    connection_id: ShortText
    job_type: JobType


class ConnectorJob(BaseModel):
    """`start_time` is null while it waits, `duration` until its end. Rows and bytes are those that were committed."""

    job_id: str
    status: Status
    job_type: JobType
    start_time: Instant | None
    connection_id: str
    bytes_synced: int
    rows_synced: int
    duration: str | None


class RetriedJob(BaseModel):
    job_id: str
    status: Status
    job_type: JobType
    connection_id: str


class JobLine(BaseModel):
    timestamp: Instant
    level: str
    message: str


@routes.get("/jobs", **connector_answers(200, Listed[ConnectorJob], 404, 405))
async def list_connector_jobs(request: Request, caller: ReaderHere, query: Annotated[JobsQuery, Query()]) -> Response:
    """Runs of syncs and resets, newest first unless ordered otherwise."""
    order = (query.order_by or "-number").removeprefix("-")
    asked = SyncQuery(
        account_id=caller.account_id,
        job_id=query.connection_id,
        types=() if query.job_type is None else (_TYPES[query.job_type],),
        states=states_of(query.status),
        since=query.created_after,
        until=query.created_before,
        order=cast("SyncOrder", order),
        descending=query.order_by is None or query.order_by.startswith("-"),
        limit=query.limit,
        offset=query.offset,
    )
    found, total = await api_of(request).core.syncing.runs(caller, asked)
    return json_answer(Listed[ConnectorJob].model_construct(data=[job_of(run) for run in found], total=total))


@routes.post("/jobs", **connector_answers(201, ConnectorJob, 404, 405, 409, 413, 415))
async def trigger_connector_job(
    request: Request, caller: RunnerHere, given: Annotated[TriggerInput, Depends(JsonBody(TriggerInput))]
) -> Response:
    """Sync what is new, or empty the destination of this connection's rows and bring all in again."""
    syncing = api_of(request).core.syncing
    try:
        run = await syncing.trigger(caller, given.connection_id, given.job_type)
    except NotFound as error:
        raise MissingConnection(error.message) from None
    return json_answer(job_of(await syncing.run(caller, run.id)), 201)


@routes.get("/jobs/{job_id}", **connector_answers(200, ConnectorJob, 404, 405))
async def get_connector_job(request: Request, caller: ReaderHere, job_id: str) -> Response:
    """One run."""
    return json_answer(job_of(await api_of(request).core.syncing.run(caller, job_id)))


@routes.delete("/jobs/{job_id}", **connector_answers(204, None, 404, 405, 409))
async def cancel_connector_job(request: Request, caller: RunnerHere, job_id: str) -> Response:
    """Ask it to end. 409 if it has ended."""
    core = api_of(request).core
    run = await core.syncing.run(caller, job_id)
    try:
        await core.runs.cancel(caller, run.id)
    except Conflict as error:
        raise NotCancellable(error.message) from None
    return no_content()


@routes.post("/jobs/{job_id}/retry", **connector_answers(200, RetriedJob, 404, 405))
async def retry_connector_job(request: Request, caller: RunnerHere, job_id: str) -> Response:
    """A new run that does what this one did. 400 unless this one has failed or was cancelled."""
    core = api_of(request).core
    run = await core.syncing.run(caller, job_id)
    if STATUS[run.state] not in ("failed", "cancelled"):
        raise _not_retried(f"job {run.id} is {STATUS[run.state]}; only one that failed or was cancelled is retried")
    try:
        again = await core.runs.rerun(caller, run.id)
    except Conflict as error:
        raise _not_retried(error.message) from None
    made = RetriedJob(
        job_id=again.id, status=STATUS[again.state], job_type=_type_of(again.type), connection_id=again.job_id
    )
    return json_answer(made)


@routes.get("/jobs/{job_id}/logs", **connector_answers(200, Listed[JobLine], 404, 405))
async def read_connector_job_log(
    request: Request, caller: ReaderHere, job_id: str, limit: Limit = 20, offset: Offset = 0
) -> Response:
    """What it said, from the first line."""
    core = api_of(request).core
    run = await core.syncing.run(caller, job_id)
    page = await core.runs.log(caller, run.id, offset + 1, limit)
    lines = [JobLine(timestamp=line.at, level=line.level, message=line.text) for line in page.lines]
    return json_answer(Listed[JobLine](data=lines, total=page.total))


def job_of(run: SyncRun) -> ConnectorJob:
    values = {
        "job_id": run.id,
        "status": STATUS[run.state],
        "job_type": _type_of(run.type),
        "start_time": run.started_at,
        "connection_id": run.job_id,
        "bytes_synced": run.bytes,
        "rows_synced": run.rows,
        "duration": duration_of(run.started_at, run.finished_at),
    }
    return built(ConnectorJob, values)


def _type_of(type_: str) -> JobType:
    return "reset" if type_ == RESET else "sync"


def _not_retried(message: str) -> InvalidInput:
    return InvalidInput.one("job_id", message, None, "CONNECTOR_JOB_RETRY_FAILED")
