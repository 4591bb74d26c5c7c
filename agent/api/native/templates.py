"""What jobs can be made of: a ready form for each type."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.core.driving import Manifest
from shared.errors import InvalidInput, NotFound
from shared.models.base import Resource

routes = APIRouter(prefix="/api/job-templates", tags=["jobs"])


class JobTemplate(Resource):
    """`schema`: the JSON Schema of `data`, from which forms are built. `definition`: an example that can be made a
    draft as it stands, and a job when its names are those of the account."""

    type: str
    title: str
    help: str
    parameters: dict[str, Any] = Field(alias="schema")
    definition: dict[str, Any]


@routes.get("", **answers(200, Items[JobTemplate]))
async def list_templates(request: Request, _caller: Reader) -> Response:
    """One for each job type."""
    return json_answer(Items[JobTemplate](items=[_template(manifest) for manifest in _job_types(request)]))


@routes.get("/{job_type}", **answers(200, JobTemplate, 404))
async def get_template(request: Request, _caller: Reader, job_type: str) -> Response:
    """That of one job type."""
    try:
        return json_answer(_template(api_of(request).core.drivers.get(job_type)))
    except InvalidInput as error:
        raise NotFound(error.faults[0].message) from None


def _job_types(request: Request) -> list[Manifest]:
    return [manifest for manifest in api_of(request).core.drivers.list() if not manifest.action_only]


def _template(manifest: Manifest) -> JobTemplate:
    definition = {
        "name": manifest.title,
        "type": manifest.type,
        "intervalType": "none",
        "data": dict(manifest.template),
        "policies": {"on_lost": "retry" if manifest.repeat_safe else "fail"},
    }
    return JobTemplate(
        type=manifest.type,
        title=manifest.title,
        help=manifest.help,
        schema=manifest.parameters.model_json_schema(),
        definition=definition,
    )
