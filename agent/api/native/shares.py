"""Who else may do what with jobs, connections and knowledge bases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.core.callers import Caller
from agent.core.permissions import ResourceKind
from shared.models.share import LevelInput, Share, ShareInput, VisibilityInput

routes = APIRouter(prefix="/api", tags=["shares"])

Given = Annotated[ShareInput, Depends(JsonBody(ShareInput))]
Level = Annotated[LevelInput, Depends(JsonBody(LevelInput))]
Shown = Annotated[VisibilityInput, Depends(JsonBody(VisibilityInput))]


@routes.get("/jobs/{job_id}/shares", **answers(200, Items[Share], 404))
async def list_job_shares(request: Request, caller: Reader, job_id: str) -> Response:
    """With whom the job is shared."""
    return await _listed(request, caller, "job", job_id)


@routes.post("/jobs/{job_id}/shares", **answers(201, Share, 404, 413, 415, also=(200,)))
async def share_job(request: Request, caller: Editor, job_id: str, given: Given) -> Response:
    """Share the job with a user, or with everyone of the account; 200 if it was: then the level is the new one."""
    return await _shared(request, caller, "job", job_id, given)


@routes.put("/jobs/{job_id}/shares/{principal_id}", **answers(200, Share, 404, 413, 415, also=(201,)))
async def put_job_share(request: Request, caller: Editor, job_id: str, principal_id: str, given: Level) -> Response:
    """Share the job at this level."""
    wanted = ShareInput(principal_id=principal_id, access_level=given.access_level)
    return await _shared(request, caller, "job", job_id, wanted)


@routes.delete("/jobs/{job_id}/shares/{principal_id}", **answers(204, None, 404))
async def unshare_job(request: Request, caller: Editor, job_id: str, principal_id: str) -> Response:
    """Share the job no more with this user, or with everyone."""
    return await _unshared(request, caller, "job", job_id, principal_id)


@routes.get("/connections/{key}/shares", **answers(200, Items[Share], 404))
async def list_connection_shares(request: Request, caller: Reader, key: str) -> Response:
    """With whom the data source is shared; it counts where it is private."""
    return await _listed(request, caller, "connection", key)


@routes.post("/connections/{key}/shares", **answers(201, Share, 404, 413, 415, also=(200,)))
async def share_connection(request: Request, caller: Editor, key: str, given: Given) -> Response:
    """Share the data source; `runner` may name it in jobs."""
    return await _shared(request, caller, "connection", key, given)


@routes.put("/connections/{key}/shares/{principal_id}", **answers(200, Share, 404, 413, 415, also=(201,)))
async def put_connection_share(request: Request, caller: Editor, key: str, principal_id: str, given: Level) -> Response:
    """Share the data source at this level."""
    wanted = ShareInput(principal_id=principal_id, access_level=given.access_level)
    return await _shared(request, caller, "connection", key, wanted)


@routes.delete("/connections/{key}/shares/{principal_id}", **answers(204, None, 404))
async def unshare_connection(request: Request, caller: Editor, key: str, principal_id: str) -> Response:
    """Share the data source no more with this user, or with everyone."""
    return await _unshared(request, caller, "connection", key, principal_id)


@routes.put("/connections/{key}/visibility", **answers(204, None, 404, 413, 415))
async def put_connection_visibility(request: Request, caller: Editor, key: str, given: Shown) -> Response:
    """Whether all of the account may see and use the data source, or its owner and whom it is shared with."""
    return await _shown(request, caller, "connection", key, given)


@routes.get("/knowledge-bases/{key}/shares", **answers(200, Items[Share], 404))
async def list_knowledge_base_shares(request: Request, caller: Reader, key: str) -> Response:
    """With whom the knowledge base is shared; it counts where it is private."""
    return await _listed(request, caller, "knowledge_base", key)


@routes.post("/knowledge-bases/{key}/shares", **answers(201, Share, 404, 413, 415, also=(200,)))
async def share_knowledge_base(request: Request, caller: Editor, key: str, given: Given) -> Response:
    """Share the knowledge base; `reader` may search it, `runner` name it in jobs."""
    return await _shared(request, caller, "knowledge_base", key, given)


@routes.put("/knowledge-bases/{key}/shares/{principal_id}", **answers(200, Share, 404, 413, 415, also=(201,)))
async def put_knowledge_base_share(
    request: Request, caller: Editor, key: str, principal_id: str, given: Level
) -> Response:
    """Share the knowledge base at this level."""
    wanted = ShareInput(principal_id=principal_id, access_level=given.access_level)
    return await _shared(request, caller, "knowledge_base", key, wanted)


@routes.delete("/knowledge-bases/{key}/shares/{principal_id}", **answers(204, None, 404))
async def unshare_knowledge_base(request: Request, caller: Editor, key: str, principal_id: str) -> Response:
    """Share the knowledge base no more with this user, or with everyone."""
    return await _unshared(request, caller, "knowledge_base", key, principal_id)


@routes.put("/knowledge-bases/{key}/visibility", **answers(204, None, 404, 413, 415))
async def put_knowledge_base_visibility(request: Request, caller: Editor, key: str, given: Shown) -> Response:
    """Whether all of the account may see and use the knowledge base, or its owner and whom it is shared with."""
    return await _shown(request, caller, "knowledge_base", key, given)


async def _listed(request: Request, caller: Caller, kind: ResourceKind, key: str) -> Response:
    return json_answer(Items[Share](items=await api_of(request).core.shares.list(caller, kind, key)))


async def _shared(request: Request, caller: Caller, kind: ResourceKind, key: str, given: ShareInput) -> Response:
    share, is_new = await api_of(request).core.shares.put(caller, kind, key, given)
    return json_answer(share, 201 if is_new else 200)


async def _unshared(request: Request, caller: Caller, kind: ResourceKind, key: str, principal: str) -> Response:
    await api_of(request).core.shares.remove(caller, kind, key, principal)
    return no_content()


async def _shown(request: Request, caller: Caller, kind: ResourceKind, key: str, given: VisibilityInput) -> Response:
    await api_of(request).core.shares.set_visibility(caller, kind, key, given.visibility)
    return no_content()
