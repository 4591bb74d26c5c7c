"""Whose jobs, connections, knowledge bases, datasets and secrets are, and who else may do what with them: the same
routes for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Admin, Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.core.permissions.rules import WORDS, ResourceKind
from shared.models.share import LevelInput, OwnerInput, Share, ShareInput, VisibilityInput

routes = APIRouter(prefix="/api", tags=["shares"])

_PLACES: dict[ResourceKind, str] = {
    "job": "/jobs/{job_id}",
    "connection": "/connections/{key}",
    "knowledge_base": "/knowledge-bases/{key}",
    "dataset": "/datasets/{key}",
    "secret": "/secrets/{name}",
}
Given = Annotated[ShareInput, Depends(JsonBody(ShareInput))]
Level = Annotated[LevelInput, Depends(JsonBody(LevelInput))]
Owner = Annotated[OwnerInput, Depends(JsonBody(OwnerInput))]
Shown = Annotated[VisibilityInput, Depends(JsonBody(VisibilityInput))]


def _job_id(job_id: str) -> str:
    return job_id


def _name(name: str) -> str:
    return name


def _any_key(key: str) -> str:
    return key


_PARAMETERS: dict[ResourceKind, Callable[..., str]] = {"job": _job_id, "secret": _name}
"""What the path calls the one that is meant; others: `key`."""


def _add_shares(kind: ResourceKind, place: str) -> None:
    word, path = WORDS[kind], f"{place}/shares"
    named = Depends(_PARAMETERS.get(kind, _any_key))

    @routes.get(
        path,
        name=f"list_{kind}_shares",
        description=f"With whom the {word} is shared.",
        **answers(200, Items[Share], 404),
    )
    async def list_shares(request: Request, caller: Reader, key: str = named) -> Response:
        found = await api_of(request).core.shares.list(caller, kind, key)
        return json_answer(Items[Share](items=found))

    @routes.post(
        path,
        name=f"share_{kind}",
        description=f"Share the {word} with a user, or with everyone; one that has a share gets the level (200).",
        **answers(201, Share, 404, 413, 415, also=(200,)),
    )
    async def share(request: Request, caller: Editor, given: Given, key: str = named) -> Response:
        made, is_new = await api_of(request).core.shares.put(caller, kind, key, given)
        return json_answer(made, 201 if is_new else 200)

    @routes.put(
        f"{path}/{{principal_id}}",
        name=f"put_{kind}_share",
        description=f"Share the {word} at this level.",
        **answers(200, Share, 404, 413, 415, also=(201,)),
    )
    async def put_share(
        request: Request, caller: Editor, principal_id: str, given: Level, key: str = named
    ) -> Response:
        wanted = ShareInput(principal_id=principal_id, access_level=given.access_level)
        made, is_new = await api_of(request).core.shares.put(caller, kind, key, wanted)
        return json_answer(made, 201 if is_new else 200)

    @routes.delete(
        f"{path}/{{principal_id}}",
        name=f"unshare_{kind}",
        description=f"Share the {word} no more with this user, or with everyone.",
        **answers(204, None, 404),
    )
    async def unshare(request: Request, caller: Editor, principal_id: str, key: str = named) -> Response:
        await api_of(request).core.shares.remove(caller, kind, key, principal_id)
        return no_content()


def _add_visibility(kind: ResourceKind, place: str) -> None:
    named = Depends(_PARAMETERS.get(kind, _any_key))

    @routes.put(
        f"{place}/visibility",
        name=f"put_{kind}_visibility",
        description=f"Whether all of the account may see and use the {WORDS[kind]}, or its owner and whom it is shared with.",
        **answers(204, None, 404, 413, 415),
    )
    async def put_visibility(request: Request, caller: Editor, given: Shown, key: str = named) -> Response:
        await api_of(request).core.shares.set_visibility(caller, kind, key, given.visibility)
        return no_content()

    @routes.put(
        f"{place}/owner",
        name=f"put_{kind}_owner",
        description=f"Give the {WORDS[kind]} to another user of the account.",
        **answers(204, None, 404, 413, 415),
    )
    async def put_owner(request: Request, caller: Admin, given: Owner, key: str = named) -> Response:
        await api_of(request).core.shares.set_owner(caller, kind, key, given.owner_id)
        return no_content()


for _kind, _place in _PLACES.items():
    _add_shares(_kind, _place)
    if _kind != "job":
        _add_visibility(_kind, _place)
