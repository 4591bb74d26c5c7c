"""A job's history in the words of contract 004."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import answers, json_answer, no_content
from agent.api.auth import Deleter, Reader
from agent.api.context import api_of
from agent.api.hal import HalPage, Links, hal_page, links_to
from agent.core.records import PastRun
from shared.models import Run, Step
from shared.models.base import Input, Instant, Resource
from shared.states import RunState

routes = APIRouter(prefix="/api/jobs/{job_id}/history", tags=["history"])

Status = Literal["success", "error", "warning"]


class HistoryQuery(Input):
    sort: Literal["createdAt", "-createdAt"] = "-createdAt"
    limit: Annotated[int, Field(ge=1, le=200)] = 30
    start: Annotated[int, Field(ge=0, le=2**31)] = 0


class Task(Resource):
    """What was attempted."""

    key: str
    opts: dict[str, Any] | None = None


class TaskResult(Resource):
    """What came of it: a `key`, or a `message` where there is one."""

    key: str | None = None
    message: str | None = None
    success: bool
    status: Status


class Progressed(Resource):
    task: Task
    result: TaskResult


class PastRunAnswer(Resource):
    """A run that is over. `duration`: its start and its end. `data`: what else there is to know of it."""

    links: Links = Field(alias="_links")
    id: str
    job_id: str
    owner_id: str
    success: bool
    warnings: bool
    duration: tuple[Instant, Instant]
    data: dict[str, Any]
    progress: list[Progressed]
    created_at: Instant


@routes.get("", **answers(200, HalPage[PastRunAnswer], 404))
async def list_history(
    request: Request, caller: Reader, job_id: str, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """A page of the job's runs that are over."""
    newest_first = query.sort.startswith("-")
    found, total = await api_of(request).core.history.list(
        caller, job_id, newest_first=newest_first, limit=query.limit, start=query.start
    )
    items = [_answer(past) for past in found]
    page = hal_page(request.url, "inf:job-history", items, start=query.start, limit=query.limit, total=total)
    return json_answer(page)


@routes.get("/{history_id}", **answers(200, PastRunAnswer, 404))
async def get_history(request: Request, caller: Reader, job_id: str, history_id: str) -> Response:
    """One of them, by the run's id."""
    return json_answer(_answer(await api_of(request).core.history.get(caller, job_id, history_id)))


@routes.delete("/{history_id}", **answers(204, None, 404, 409))
async def delete_history(request: Request, caller: Deleter, job_id: str, history_id: str) -> Response:
    """Delete a run that is over, with its steps and its log."""
    await api_of(request).core.history.delete(caller, job_id, history_id)
    return no_content()


def _answer(past: PastRun) -> PastRunAnswer:
    run = past.run
    return PastRunAnswer(
        links=links_to(f"/api/jobs/{run.job_id}/history/{run.id}"),
        id=run.id,
        job_id=run.job_id,
        owner_id=run.owner_id,
        success=run.state == RunState.COMPLETED,
        warnings=bool(run.warnings),
        duration=_duration(run),
        data=_data(run),
        progress=[_invoked(run), *(_step(step) for step in past.steps)],
        created_at=run.created_at,
    )


def _duration(run: Run) -> tuple[datetime, datetime]:
    """Of a run that never began: the moment of its end, twice."""
    assert run.finished_at is not None
    return run.started_at or run.finished_at, run.finished_at


def _data(run: Run) -> dict[str, Any]:
    return {
        "state": run.state,
        "cause": run.cause,
        "revision": run.revision,
        "attempts": run.attempt,
        "originalRunId": run.original_run_id,
        "result": run.result,
        "error": run.error.model_dump(by_alias=True) if run.error else None,
        "warnings": run.warnings,
    }


def _invoked(run: Run) -> Progressed:
    """The first entry: the run as a whole."""
    success = run.state == RunState.COMPLETED
    status: Status = ("warning" if run.warnings else "success") if success else "error"
    message = run.error.message if run.error else None
    result = TaskResult(key=f"job:status.{_WORDS[run.state]}", message=message, success=success, status=status)
    return Progressed(task=Task(key="job:progress.invoking_job", opts={"name": run.job_name}), result=result)


_WORDS = {RunState.COMPLETED: "success", RunState.FAILED: "error", RunState.CANCELLED: "cancelled"}


def _step(step: Step) -> Progressed:
    """A step that was left out did no harm; one that was under way when the run ended did not succeed."""
    success = step.state in ("completed", "skipped")
    key = None if step.message else f"job:status.{'success' if success else 'error'}"
    status: Status = "success" if success else "error"
    result = TaskResult(key=key, message=step.message or None, success=success, status=status)
    return Progressed(task=Task(key=f"job:steps.{step.key}", opts={"name": step.title}), result=result)
