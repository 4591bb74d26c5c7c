"""What happens, as it happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import answers
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.native.keys import Resumed
from agent.api.streams import stream_answer
from agent.core.permissions.callers import Caller
from agent.core.permissions.rules import seen_by
from shared.models.base import Input

routes = APIRouter(prefix="/api", tags=["events"])


class EventsQuery(Input):
    after: Annotated[int, Field(ge=0, le=2**62)] | None = None


@routes.get("/events", **answers(200, None, text="text/event-stream"))
async def follow_events(
    request: Request, caller: Reader, query: Annotated[EventsQuery, Query()], resumed: Resumed
) -> Response:
    """Events of the account after a position, else from now on. `reset`: read everything anew, then go on."""
    after = query.after if resumed is None else resumed
    sight = seen_by(caller)

    async def may_hear(now: Caller) -> bool:
        return seen_by(now) == sight  # who begins or ceases to administer the account hears of others: it asks anew

    return stream_answer(request, api_of(request).broadcast.stream(caller.account_id, after, sight), may_hear)
