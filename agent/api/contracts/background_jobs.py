"""`GET /v1/api/jobs/{id}` and `POST /v1/api/jobs/{id}/rerun`: runs, watched and repeated.

An adapter: what the document calls a job is a run here. Every answer is `{"data", "error"}`, and says in three headers
what the caller may still ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import Reader, Runner
from agent.api.context import api_of
from agent.api.errors import Refusal
from agent.api.lean import LeanRoute
from agent.api.rates import Allowance
from shared.errors import InvalidInput
from shared.models import Run
from shared.models.base import Instant
from shared.states import FINAL, RunState

PREFIX = "/v1/api/"
routes = APIRouter(prefix="/v1/api", tags=["background_jobs"], route_class=LeanRoute)

Status = Literal["pending", "running", "completed", "failed", "cancelled"]
_STATUS: Mapping[RunState, Status] = {
    RunState.PENDING: "pending",
    RunState.RUNNING: "running",
    RunState.RETRYING: "pending",
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}
_COUNTED = {
    "document_processing": ("documentsProcessed",),
    "web_crawling": ("pagesCrawled",),
    "batch_embedding": ("itemsEmbedded",),
    "export": ("rowsExported", "files"),
    "import": ("rowsImported",),
}
"""What the results of a type always have, beside `errors`."""
_NAMES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    409: "ConflictError",
    413: "PayloadTooLargeError",
    415: "UnsupportedMediaTypeError",
    421: "MisdirectedRequestError",
    429: "TooManyRequestsError",
    503: "ServiceUnavailableError",
}
_ALMOST = 99
"""Percent: what is not completed is never all of it."""


class _Fields(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class BackgroundJob(_Fields):
    """A run. `result` and `completedAt` are null before its end."""

    id: str
    type: str
    status: Status
    progress: int
    result: dict[str, Any] | None
    created_at: Instant
    completed_at: Instant | None


class RepeatedJob(BackgroundJob):
    """A run that repeats another."""

    original_job_id: str


class Rerun(_Fields):
    id: str
    type: str
    status: Status
    original_job_id: str
    created_at: Instant


class BackgroundJobAnswer(BaseModel):
    data: BackgroundJob | RepeatedJob
    error: None = None


class RerunAnswer(BaseModel):
    data: Rerun
    error: None = None


class BackgroundError(BaseModel):
    name: str
    message: str
    details: dict[str, Any]


class BackgroundErrorBody(BaseModel):
    """Every refusal of this contract."""

    data: None = None
    error: BackgroundError


@routes.get("/jobs/{id}", **answers(200, BackgroundJobAnswer, 404, 405, error=BackgroundErrorBody))
async def get_background_job(request: Request, caller: Reader, id: str) -> Response:  # noqa: A002  (the document's word)
    """A run, as far as it is."""
    run = await api_of(request).core.runs.get(caller, id)
    return json_answer(BackgroundJobAnswer(data=_job(run)))


@routes.post("/jobs/{id}/rerun", **answers(201, RerunAnswer, 404, 405, 409, error=BackgroundErrorBody))
async def rerun_background_job(request: Request, caller: Runner, id: str) -> Response:  # noqa: A002
    """A new run of the same job, that names this one. 409 while this one is active."""
    run = await api_of(request).core.runs.rerun(caller, id)
    assert run.original_run_id is not None
    again = Rerun(
        id=run.id,
        type=run.type,
        status=_STATUS[run.state],
        original_job_id=run.original_run_id,
        created_at=run.created_at,
    )
    return json_answer(RerunAnswer(data=again), 201)


def envelope(refusal: Refusal) -> Any:
    """`details` has the wrong fields by name."""
    error, details = refusal.error, dict[str, str]()
    if isinstance(error, InvalidInput):
        details = {fault.field: fault.message for fault in error.faults}
    name = _NAMES.get(refusal.status, "InternalServerError")
    return {"data": None, "error": {"name": name, "message": error.message, "details": details}}


def rate_headers(allowance: Allowance, now: datetime) -> dict[str, str]:
    """The document's three; the reset is when all that is allowed in a minute is allowed again."""
    return {
        "X-RateLimit-Limit": str(allowance.most),
        "X-RateLimit-Remaining": str(allowance.left),
        "X-RateLimit-Reset": str(math.ceil(now.timestamp() + allowance.full_in)),
    }


def _job(run: Run) -> BackgroundJob:
    told: dict[str, Any] = {
        "id": run.id,
        "type": run.type,
        "status": _STATUS[run.state],
        "progress": _progress(run),
        "result": _result(run) if run.state in FINAL else None,
        "created_at": run.created_at,
        "completed_at": run.finished_at,
    }
    if run.original_run_id is None:
        return BackgroundJob(**told)
    return RepeatedJob(**told, original_job_id=run.original_run_id)


def _progress(run: Run) -> int:
    """Percent."""
    if run.state is RunState.COMPLETED:
        return 100
    done, total = run.progress.done, run.progress.total
    return max(0, min(done * 100 // total, _ALMOST)) if total else 0


def _result(run: Run) -> dict[str, Any]:
    """What the driver said, in the document's spelling, with the numbers that its type always has."""
    said = {to_camel(name): value for name, value in (run.result or {}).items()}
    counted = dict.fromkeys((*_COUNTED.get(run.type, ()), "errors"), 0)
    result = {**counted, **said, "errors": _errors(said.get("errors"))}
    if run.state is RunState.FAILED:
        result["errors"] = max(1, result["errors"])
    if run.error is not None:
        result["message"] = run.error.message
    return result


def _errors(said: Any) -> int:
    if isinstance(said, list | dict):
        return len(said)
    return said if isinstance(said, int) else 0
