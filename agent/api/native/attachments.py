"""What is attached to the actions of a job or a draft, and the contents of attached files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import FileResponse, Response

from agent.api.answers import ExpectedVersion, answers, json_answer, no_content
from agent.api.auth import Editor, Reader
from agent.api.bodies import JsonBody, require_plain, require_room
from agent.api.context import api_of
from agent.api.errors import TooLarge
from agent.api.hal import HalPage, Links, hal_list, links_to
from shared.models import Attachment

routes = APIRouter(prefix="/api/jobs/{job_id}/actions/{action_id}/attachments", tags=["jobs"])

_CONTENT = "action-attachment-file-contents"
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BINARY_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}}


class LinkedAttachment(Attachment):
    links: Links = Field(alias="_links")


Given = Annotated[Attachment, Depends(JsonBody(Attachment, read_only=frozenset({"_links"})))]


@routes.get("", **answers(200, HalPage[LinkedAttachment], 404))
async def list_attachments(request: Request, caller: Reader, job_id: str, action_id: str) -> Response:
    """What the action takes with it."""
    found = await api_of(request).core.actions.attachments(caller, job_id, action_id)
    shown = [_linked(job_id, action_id, each) for each in found]
    return json_answer(hal_list(request.url, "inf:job-action-attachment", shown))


@routes.post("", **answers(201, LinkedAttachment, 404, 409, 413, 415))
async def add_attachment(request: Request, caller: Editor, job_id: str, action_id: str, given: Given) -> Response:
    """Attach a file (its content is uploaded after), the log, or a step's result."""
    made = await api_of(request).core.actions.attach(caller, job_id, action_id, given)
    shown = _linked(job_id, action_id, made)
    return json_answer(shown, 201, {"Location": shown.links["self"].href})


@routes.get("/{attachment_id}", **answers(200, LinkedAttachment, 404))
async def get_attachment(request: Request, caller: Reader, job_id: str, action_id: str, attachment_id: str) -> Response:
    """One of the action's attachments."""
    found = await api_of(request).core.actions.attachment(caller, job_id, action_id, attachment_id)
    return json_answer(_linked(job_id, action_id, found))


@routes.put("/{attachment_id}", **answers(200, LinkedAttachment, 404, 409, 413, 415))
async def put_attachment(
    request: Request,
    caller: Editor,
    expected: ExpectedVersion,
    job_id: str,
    action_id: str,
    attachment_id: str,
    given: Given,
) -> Response:
    """Say an attachment anew; what was uploaded for it stays."""
    actions = api_of(request).core.actions
    changed = await actions.put_attachment(caller, job_id, action_id, attachment_id, given, expected)
    return json_answer(_linked(job_id, action_id, changed))


@routes.delete("/{attachment_id}", **answers(204, None, 404, 409))
async def remove_attachment(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, action_id: str, attachment_id: str
) -> Response:
    """Detach it."""
    await api_of(request).core.actions.detach(caller, job_id, action_id, attachment_id, expected)
    return no_content()


@routes.get(f"/{{attachment_id}}/{_CONTENT}", **answers(200, None, 404, text="application/octet-stream"))
async def get_content(request: Request, caller: Reader, job_id: str, action_id: str, attachment_id: str) -> Response:
    """What was uploaded, under its name and type; never shown by a browser in the agent's own name."""
    actions = api_of(request).core.actions
    attachment, content, path = await actions.content(caller, job_id, action_id, attachment_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{content.blob}"',
    }
    return FileResponse(path, headers=headers, media_type=content.content_type)


@routes.put(
    f"/{{attachment_id}}/{_CONTENT}", **answers(200, LinkedAttachment, 404, 409, 413, 415), openapi_extra=_BINARY_BODY
)
async def put_content(request: Request, caller: Editor, job_id: str, action_id: str, attachment_id: str) -> Response:
    """Upload the content of an attached file: the bytes of the body, of the type that its header says."""
    core = api_of(request).core
    kind = request.headers.get("content-type", "application/octet-stream")
    content = _bounded(request, core.settings.max_attachment_bytes)
    changed = await core.actions.put_content(caller, job_id, action_id, attachment_id, content, kind)
    return json_answer(_linked(job_id, action_id, changed))


async def _bounded(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body as it comes, whatever Content-Length says."""
    require_plain(request)
    require_room(request, most)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge(f"the content is larger than {most} bytes")
        yield chunk


def _linked(job_id: str, action_id: str, attachment: Attachment) -> LinkedAttachment:
    path = f"/api/jobs/{job_id}/actions/{action_id}/attachments/{attachment.id}"
    below = {"inf:action-attachment-file-contents": _CONTENT} if attachment.type == "file" else {}
    return LinkedAttachment.model_construct(**attachment.__dict__, links=links_to(path, **below))
