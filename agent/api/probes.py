"""What watches over the agent asks here: liveness, readiness, metrics, the description."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.description import describe
from agent.api.metrics import Standing
from shared.errors import JobdeckError
from shared.models.base import Resource

routes = APIRouter(tags=["probes"])
_OPEN = (400, 421)


class Alive(Resource):
    status: Literal["ok"] = "ok"


class Ready(Resource):
    """What is needed to take work, part by part: `ok`, or what is wrong."""

    ready: bool
    store: str
    workers: str
    failing: dict[str, str] = {}
    """Background duties whose last try failed, and why; they try again by themselves."""


@routes.get("/healthz", **answers(200, Alive, always=_OPEN))
async def healthz() -> Response:
    """The agent answers."""
    return json_answer(Alive())


@routes.get("/readyz", **answers(200, Ready, 503, error=Ready, always=()))
async def readyz(request: Request) -> Response:
    """The agent can store, and has workers."""
    core = api_of(request).core
    store = "ok"
    try:
        await core.store.ping()
    except JobdeckError as error:
        store = error.message
    able = any(worker.state in {"idle", "busy"} for worker in core.executor.workers())
    ready = store == "ok" and able
    answer = Ready(ready=ready, store=store, workers="ok" if able else "none", failing=core.failing())
    return json_answer(answer, 200 if ready else 503)


@routes.get("/metrics", **answers(200, None, text="text/plain"))
async def metrics(request: Request, caller: Reader) -> Response:
    """Prometheus' text format."""
    api = api_of(request)
    standing = Standing(
        runs=await api.core.runs.counts(caller),
        held=await api.core.store.count_held(caller.account_id),
        sentinels=await api.core.store.count_open_sentinels(caller.account_id),
        workers=api.core.executor.workers(),
        size=await api.core.store.size(),
        takes_writes=api.core.store.trouble is None,
        last_event_id=await api.core.store.last_event_id(),
        streams=api.broadcast.listeners,
    )
    return Response(api.metrics.page(standing), media_type="text/plain; version=0.0.4; charset=utf-8")


@routes.get("/openapi.json", **answers(200, None))
async def description(request: Request, _caller: Reader) -> Response:
    """This description."""
    return Response(to_json(describe(request.app)), media_type="application/json")
