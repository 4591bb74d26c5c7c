"""The agent itself: who it is, who asks, its workers and drivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.lean import LeanRoute
from agent.core.driving import Manifest
from agent.core.permissions.rules import seen_by
from agent.release import release
from shared.models import Worker
from shared.models.base import Instant, Resource

routes = APIRouter(prefix="/api", tags=["agent"], route_class=LeanRoute)


class AgentInfo(Resource):
    name: str
    version: str
    started_at: Instant
    now: Instant
    data_dir: str
    production: bool
    counts: dict[str, int]
    """Runs of the caller's account by state."""
    last_event_id: int
    held_fires: int
    held_jobs: int
    """Missed fires that wait for an operator in the caller's account, and of how many jobs."""
    store_trouble: str | None
    store_trouble_since: Instant | None
    """Why nothing can be written at the moment (the disk is full), and since when; null: all is well."""


class DriverInfo(Resource):
    """A job type: its parameters as a JSON Schema, from which forms are built, and a ready example of `data`."""

    type: str
    title: str
    help: str
    parameters: dict[str, Any] = Field(alias="schema")
    template: Mapping[str, Any]
    runs_programs: bool
    repeat_safe: bool
    action_only: bool
    """A step of a job, not a job of its own."""
    takes_attachments: bool


@routes.get("/agent", **answers(200, AgentInfo))
async def get_agent(request: Request, caller: Reader) -> Response:
    """The agent, its time, and the event position from which to follow."""
    core = api_of(request).core
    held = await core.store.backlog(caller.account_id, seen_by=seen_by(caller))
    waiting = [item.waiting for item in held if item.waiting]
    trouble = core.store.trouble
    info = AgentInfo(
        name=core.settings.name,
        version=release(),
        started_at=core.started_at,
        now=core.clock.now(),
        data_dir=str(core.settings.data_dir),
        production=core.settings.production,
        last_event_id=await core.store.last_event_id(),
        counts=await core.runs.counts(caller),
        held_fires=sum(waiting),
        held_jobs=len(waiting),
        store_trouble=trouble and trouble.reason,
        store_trouble_since=trouble and trouble.since,
    )
    return json_answer(info)


@routes.get("/workers", **answers(200, Items[Worker]))
async def list_workers(request: Request, caller: Reader) -> Response:
    """The processes that execute runs; which run, where the caller may read it."""
    return json_answer(Items[Worker](items=await api_of(request).core.access.workers(caller)))


@routes.get("/job-drivers", **answers(200, Items[DriverInfo]))
async def list_drivers(request: Request, _caller: Reader) -> Response:
    """The job types that there are."""
    found = [_driver_info(manifest) for manifest in api_of(request).core.drivers.list()]
    return json_answer(Items[DriverInfo](items=found))


def _driver_info(manifest: Manifest) -> DriverInfo:
    return DriverInfo(
        type=manifest.type,
        title=manifest.title,
        help=manifest.help,
        schema=manifest.parameters.model_json_schema(),
        template=manifest.template,
        runs_programs=manifest.runs_programs,
        repeat_safe=manifest.repeat_safe,
        action_only=manifest.action_only,
        takes_attachments=manifest.takes_attachments,
    )
