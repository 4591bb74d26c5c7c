"""`POST /jobs/create`: jobs that carry a table's rows into a knowledge base at regular intervals.

An adapter: it reads the document's fields, and words the core's answers as the document does. Codes and limits are the
document's; every fault that it names is 400.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import EditorOrAnonymous
from agent.api.bodies import JsonBody, parse_json, read_body
from agent.api.context import api_of
from agent.api.contracts.kb_sync_fields import Wanted, read_fields
from agent.api.errors import Refusal
from agent.core.operations import Core
from agent.core.permissions.callers import Caller
from agent.core.scheduling.limits import KB_SYNC
from shared.errors import Conflict, Fault, InvalidInput, LimitReached, TooMany
from shared.models import Job, JobInput
from shared.models.base import Instant

PREFIX = "/jobs"
MADE_THROUGH = KB_SYNC
JOB_TYPE = "kb-sync"
routes = APIRouter(tags=["kb_sync"])

_CREATED = "Job created successfully"
_EXPIRED = f"{_CREATED}; no moment of its window is left, so it will not run"
_INVALID = "Invalid job configuration"
_CODES = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    421: "MISDIRECTED_REQUEST",
    429: "RATE_LIMIT_EXCEEDED",
    503: "UNAVAILABLE",
}
_OURS_TO_THEIRS = {
    "name": ("job_name", "INVALID_REQUEST"),
    "data.source_table": ("source_table", "INVALID_TABLE"),
    "data.knowledge_base": ("kb_name", "INVALID_KB"),
    "data.content_columns": ("content_columns", "INVALID_REQUEST"),
    "data.filter_column": ("filter_column", "INVALID_REQUEST"),
    "interval": ("interval", "INVALID_INTERVAL"),
    "start_on": ("start_time", "INVALID_DATETIME"),
    "startOn": ("start_time", "INVALID_DATETIME"),
    "end_on": ("end_time", "INVALID_DATETIME"),
    "endOn": ("end_time", "INVALID_DATETIME"),
}
_THEIR_CODES = {
    "unknown_connection": ("source_table", "INVALID_TABLE"),
    "unknown_knowledge_base": ("kb_name", "INVALID_KB"),
}
_PUNCTUAL = timedelta(seconds=60)
"""A start this long before receipt still fires at once."""


class CreateJobRequest(BaseModel):
    """Unknown fields are ignored. Naive times mean UTC."""

    job_name: str
    source_table: str
    kb_name: str
    content_columns: list[str]
    filter_column: str
    interval: str
    start_time: str
    end_time: str


class CreatedJob(BaseModel):
    job_id: str
    job_name: str
    status: Literal["scheduled", "expired"]
    created_at: Instant
    next_run: Instant | None


class CreateJobResponse(BaseModel):
    success: Literal[True] = True
    message: str
    data: CreatedJob


class ContractError(BaseModel):
    code: str
    message: str
    details: list[str]


class ContractErrorBody(BaseModel):
    """Every refusal of this contract."""

    success: Literal[False] = False
    error: ContractError


class _Fields(JsonBody[CreateJobRequest]):
    """The body as it came: this contract finds and words its faults itself."""

    async def __call__(self, request: Request) -> Any:
        return parse_json(await read_body(request))


@routes.post("/jobs/create", **answers(201, CreateJobResponse, 405, 413, 415, error=ContractErrorBody))
async def create_kb_sync_job(
    request: Request, caller: EditorOrAnonymous, given: Annotated[Any, Depends(_Fields(CreateJobRequest))]
) -> Response:
    """Create a job that syncs a table into a knowledge base from `start_time` to `end_time`."""
    core = api_of(request).core
    wanted, faults = read_fields(given, await core.limits.of(caller.account_id, MADE_THROUGH))
    if faults:
        raise InvalidInput([*faults, *await _further_faults(core, caller, wanted)])
    job = await _create(core, caller, wanted)
    created = CreatedJob(
        job_id=job.id,
        job_name=job.name,
        status="expired" if job.next_run_at is None else "scheduled",
        created_at=job.created_at,
        next_run=job.next_run_at,
    )
    message = _EXPIRED if job.next_run_at is None else _CREATED
    return json_answer(CreateJobResponse(message=message, data=created), 201)


def envelope(refusal: Refusal) -> Any:
    """One fault gives its own code; several, or one without a code of its own, INVALID_REQUEST."""
    error, details, code = refusal.error, list[str](), _CODES.get(refusal.status, "INTERNAL_ERROR")
    message = error.message
    if isinstance(error, InvalidInput):
        faults = [_theirs(fault) for fault in error.faults]
        details = [fault.message for fault in faults]
        code = faults[0].code if len(faults) == 1 else "INVALID_REQUEST"
        message = _INVALID if code == "INVALID_REQUEST" else _explained(faults[0])
    return {"success": False, "error": {"code": code, "message": message, "details": details}}


async def _create(core: Core, caller: Caller, wanted: Wanted) -> Job:
    assert wanted.start is not None
    assert wanted.end is not None
    now = core.clock.now()
    # The start is the first moment that there is: nothing before it can come in with the grace.
    grace = 2 * _PUNCTUAL if now - _PUNCTUAL <= wanted.start <= now else timedelta(0)
    try:
        return await core.jobs.create(caller, _definition(wanted), made_through=MADE_THROUGH, grace=grace)
    except Conflict:
        raise InvalidInput([_duplicate(wanted)]) from None
    except LimitReached as error:
        raise TooMany(
            f"the account has {error.most} active jobs, which is the limit; "
            "free a slot with DELETE /api/jobs/{id} or 'jobdeck job delete'"
        ) from None
    except InvalidInput as error:
        more = [_duplicate(wanted)] if await _is_taken(core, caller, wanted.job_name) else []
        raise InvalidInput([*error.faults, *more]) from None


async def _further_faults(core: Core, caller: Caller, wanted: Wanted) -> list[Fault]:
    """What the live source and the store say of the fields that are sound: all faults are told at once."""
    faults = [_duplicate(wanted)] if await _is_taken(core, caller, wanted.job_name) else []
    if wanted.has_whole_source:
        probe = JobInput(name="probe", type=JOB_TYPE, data=_data(wanted))
        check = await core.jobs.check(caller, probe)
        faults += [Fault(each["field"], each["message"], each["value"], each["code"]) for each in check.faults]
    return faults


def _definition(wanted: Wanted) -> JobInput:
    assert wanted.start is not None
    assert wanted.end is not None
    return JobInput(
        name=wanted.job_name,
        type=JOB_TYPE,
        interval_type="simple",
        interval=wanted.interval,
        timezone="UTC",
        start_on=_written(wanted.start),
        end_on=_written(wanted.end),
        data=_data(wanted),
    )


def _written(moment: datetime) -> str:
    """As answers write what is in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def _data(wanted: Wanted) -> dict[str, Any]:
    return {
        "source_table": wanted.source_table,
        "knowledge_base": wanted.kb_name,
        "content_columns": wanted.content_columns,
        "filter_column": wanted.filter_column,
    }


async def _is_taken(core: Core, caller: Caller, name: str) -> bool:
    """Only to tell all faults at once; what decides is the transaction that inserts."""
    if not name:
        return False
    found, _ = await core.store.list_jobs(caller.account_id, q=name, limit=200)
    return any(job.name == name for job in found)


def _duplicate(wanted: Wanted) -> Fault:
    return Fault("job_name", f"a job named '{wanted.job_name}' already exists", wanted.job_name, "DUPLICATE_JOB")


def _theirs(fault: Fault) -> Fault:
    """A fault of the core, or of the body as such, in the document's names; their own pass."""
    if fault.code.isupper():
        return fault
    whole = next((ours for ours in _OURS_TO_THEIRS if f"{fault.field}.".startswith(f"{ours}.")), "")
    place = _OURS_TO_THEIRS.get(whole, (fault.field, "INVALID_REQUEST"))
    field, code = _THEIR_CODES.get(fault.code, place)
    return replace(fault, field=field, message=f"{field}: {fault.message}", code=code)


def _explained(fault: Fault) -> str:
    if fault.message != "invalid interval format":
        return fault.message
    return (
        f"interval {str(fault.value)[:100]!r} is not supported; write N MINUTES, N HOURS, N DAYS, "
        "HOURLY, DAILY or WEEKLY, as in '10 MINUTES'"
    )
