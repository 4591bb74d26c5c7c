"""Who else may do what with jobs, connections, knowledge bases and datasets: the same routes for each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.core.permissions import WORDS, ResourceKind
from shared.models.share import LevelInput, Share, ShareInput, VisibilityInput

routes = APIRouter(prefix="/api", tags=["shares"])

_PLACES: dict[ResourceKind, str] = {
    "job": "/jobs/{job_id}",
    "connection": "/connections/{key}",
    "knowledge_base": "/knowledge-bases/{key}",
    "dataset": "/datasets/{key}",
}
Given = Annotated[ShareInput, Depends(JsonBody(ShareInput))]
Level = Annotated[LevelInput, Depends(JsonBody(LevelInput))]
Shown = Annotated[VisibilityInput, Depends(JsonBody(VisibilityInput))]


def _add_shares(kind: ResourceKind, place: str) -> None:
    word, path = WORDS[kind], f"{place}/shares"

    @routes.get(path, name=f"list_{kind}_shares", **answers(200, Items[Share], 404))
    async def list_shares(request: Request, caller: Reader) -> Response:
        found = await api_of(request).core.shares.list(caller, kind, _key(request))
        return json_answer(Items[Share](items=found))

    @routes.post(path, name=f"share_{kind}", **answers(201, Share, 404, 413, 415, also=(200,)))
    async def share(request: Request, caller: Editor, given: Given) -> Response:
        made, is_new = await api_of(request).core.shares.put(caller, kind, _key(request), given)
        return json_answer(made, 201 if is_new else 200)

    @routes.put(f"{path}/{{principal_id}}", name=f"put_{kind}_share", **answers(200, Share, 404, 413, 415, also=(201,)))
    async def put_share(request: Request, caller: Editor, principal_id: str, given: Level) -> Response:
        wanted = ShareInput(principal_id=principal_id, access_level=given.access_level)
        made, is_new = await api_of(request).core.shares.put(caller, kind, _key(request), wanted)
        return json_answer(made, 201 if is_new else 200)

    @routes.delete(f"{path}/{{principal_id}}", name=f"unshare_{kind}", **answers(204, None, 404))
    async def unshare(request: Request, caller: Editor, principal_id: str) -> Response:
        await api_of(request).core.shares.remove(caller, kind, _key(request), principal_id)
        return no_content()

    list_shares.__doc__ = f"With whom the {word} is shared."
    share.__doc__ = f"Share the {word} with a user, or with everyone; one that has a share gets the level (200)."
    put_share.__doc__ = f"Share the {word} at this level."
    unshare.__doc__ = f"Share the {word} no more with this user, or with everyone."


def _add_visibility(kind: ResourceKind, place: str) -> None:
    @routes.put(f"{place}/visibility", name=f"put_{kind}_visibility", **answers(204, None, 404, 413, 415))
    async def put_visibility(request: Request, caller: Editor, given: Shown) -> Response:
        await api_of(request).core.shares.set_visibility(caller, kind, _key(request), given.visibility)
        return no_content()

    put_visibility.__doc__ = (
        f"Whether all of the account may see and use the {WORDS[kind]}, or its owner and whom it is shared with."
    )


def _key(request: Request) -> str:
    """By id or name, as everywhere."""
    places = request.path_params
    return str(places.get("key") or places["job_id"])


for _kind, _place in _PLACES.items():
    _add_shares(_kind, _place)
    if _kind != "job":
        _add_visibility(_kind, _place)
