"""What was done, by whom, from where; and what was refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Page, answers, json_answer, page_of
from agent.api.auth import Admin
from agent.api.context import api_of
from agent.core.records import AuditQuery
from shared.models.audit import AuditEntry, AuditOutcome
from shared.models.base import GivenInstant, Input

routes = APIRouter(prefix="/api", tags=["audit"])

Word = Annotated[str, Field(min_length=1, max_length=500)]
Number = Annotated[int, Field(ge=0, le=2**62)]


class AuditParameters(Input):
    user: Word | None = None
    subject: Word | None = None
    act: Word | None = None
    outcome: AuditOutcome | None = None
    since: GivenInstant | None = None
    until: GivenInstant | None = None
    before: Number | None = None
    after: Number | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@routes.get("/audit", **answers(200, Page[AuditEntry]))
async def list_audit(request: Request, caller: Admin, query: Annotated[AuditParameters, Query()]) -> Response:
    """A page of the account's record, newest first. `user` by id or handle, `subject` by id or name, `act` an
    operation or an event; `after` gives what came behind that number."""
    found = await api_of(request).core.audit.list(caller, AuditQuery(**query.model_dump()))
    page = page_of(found, [entry.number for entry in found], query.limit)
    return json_answer(Page[AuditEntry].model_construct(items=page.items, before=page.before))
