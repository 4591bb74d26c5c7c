"""Looking for lines in the log of a run."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field, field_validator
from starlette.responses import Response

from agent.api.answers import answers, json_answer
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.streams import unless_dropped
from agent.core.records import LogSearch
from shared.models import LogHits
from shared.models.base import Input
from shared.models.run import LONGEST_LOG_TEXT, LogLevel

routes = APIRouter(prefix="/api", tags=["runs"])
_FURTHEST = 2**62


class LogSearchQuery(Input):
    text: Annotated[str, Field(max_length=LONGEST_LOG_TEXT)] = ""
    level: LogLevel | None = None
    start: Annotated[int, Field(ge=-_FURTHEST, le=_FURTHEST)] | None = None
    limit: Annotated[int, Field(ge=1, le=5000)] = 1
    backwards: bool = False
    match_case: bool = False

    @field_validator("text")
    @classmethod
    def _of_one_line(cls, text: str) -> str:
        if "\n" in text or "\r" in text:
            raise ValueError("must be without line breaks: it is looked for within lines")
        return text


@routes.get("/runs/{run_id}/log/search", **answers(200, LogHits, 404))
async def search_log(
    request: Request, caller: Reader, run_id: str, query: Annotated[LogSearchQuery, Query()]
) -> Response:
    """Lines with this text, of this level, or both. Answers after half a second with what it found; go on at `next`."""
    wanted = LogSearch(**query.model_dump())
    found = await unless_dropped(request, api_of(request).core.runs.search_log(caller, run_id, wanted))
    return Response(status_code=204) if found is None else json_answer(found)
