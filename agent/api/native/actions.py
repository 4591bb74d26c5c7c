"""The actions of a job or a draft, one by one and in their order."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Discriminator, Field, RootModel, Tag
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, answers, json_answer, no_content
from agent.api.auth import Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.hal import HalPage, Links, hal_list, links_to
from agent.core.actions.previews import ActionPreview
from shared.errors import InvalidInput
from shared.models import Action

routes = APIRouter(prefix="/api", tags=["jobs"])

_Each = Annotated[
    Annotated[str, Tag("id")] | Annotated[Action, Tag("action")],
    Discriminator(lambda value: "id" if isinstance(value, str) else "action"),
]


class ActionsOrId(RootModel[list[_Each]]):
    """All actions in their new order by id, or anew in whole."""


class LinkedAction(Action):
    links: Links = Field(alias="_links")


_READ_ONLY = frozenset({"_links"})
Given = Annotated[Action, Depends(JsonBody(Action, read_only=_READ_ONLY))]
AllGiven = Annotated[ActionsOrId, Depends(JsonBody(ActionsOrId))]


@routes.get("/jobs/{job_id}/actions", **answers(200, HalPage[LinkedAction], 404))
async def list_actions(request: Request, caller: Reader, job_id: str) -> Response:
    """The job's actions, in their order."""
    return _list(request, job_id, await api_of(request).core.actions.list(caller, job_id))


@routes.post("/jobs/{job_id}/actions", **answers(201, LinkedAction, 404, 409, 413, 415))
async def add_action(request: Request, caller: Editor, job_id: str, given: Given) -> Response:
    """Add an action as the last."""
    made = _linked(job_id, await api_of(request).core.actions.add(caller, job_id, given))
    return json_answer(made, 201, {"Location": made.links["self"].href})


@routes.put("/jobs/{job_id}/actions", **answers(200, HalPage[LinkedAction], 404, 409, 413, 415))
async def put_actions(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, given: AllGiven
) -> Response:
    """Put them into another order, by their ids; or say all of them anew."""
    actions = api_of(request).core.actions
    ids = [each for each in given.root if isinstance(each, str)]
    anew = [each for each in given.root if isinstance(each, Action)]
    if ids and anew:
        raise InvalidInput.one("body", "is a list of ids, or of whole actions, not of both")
    if anew or not given.root:
        return _list(request, job_id, await actions.put_all(caller, job_id, anew, expected))
    return _list(request, job_id, await actions.order(caller, job_id, ids, expected))


@routes.get("/jobs/{job_id}/actions/{action_id}", **answers(200, LinkedAction, 404))
async def get_action(request: Request, caller: Reader, job_id: str, action_id: str) -> Response:
    """One of the job's actions."""
    return json_answer(_linked(job_id, await api_of(request).core.actions.get(caller, job_id, action_id)))


@routes.put("/jobs/{job_id}/actions/{action_id}", **answers(200, LinkedAction, 404, 409, 413, 415))
async def put_action(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, action_id: str, given: Given
) -> Response:
    """Say an action anew, in its place; its attachments stay where none are given."""
    changed = await api_of(request).core.actions.put(caller, job_id, action_id, given, expected)
    return json_answer(_linked(job_id, changed))


@routes.delete("/jobs/{job_id}/actions/{action_id}", **answers(204, None, 404, 409))
async def remove_action(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, action_id: str
) -> Response:
    """Take an action out of the job."""
    await api_of(request).core.actions.remove(caller, job_id, action_id, expected)
    return no_content()


@routes.post("/jobs/{job_id}/actions/{action_id}/_preview", **answers(200, ActionPreview, 404))
async def preview_action(request: Request, caller: Reader, job_id: str, action_id: str) -> Response:
    """What it would do with the results of the job's last run; nothing is done."""
    return json_answer(await api_of(request).core.previews.preview(caller, job_id, action_id))


def _list(request: Request, job_id: str, actions: list[Action]) -> Response:
    return json_answer(hal_list(request.url, "inf:job-action", [_linked(job_id, action) for action in actions]))


def _linked(job_id: str, action: Action) -> LinkedAction:
    links = links_to(f"/api/jobs/{job_id}/actions/{action.id}", **{"inf:job-action-attachment": "attachments"})
    return LinkedAction.model_construct(**action.__dict__, links=links)
