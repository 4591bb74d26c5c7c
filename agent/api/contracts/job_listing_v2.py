"""`GET /v2/jobs` and `GET /v2/jobs/{id}`: the listing's second version, as its clients speak it.

An adapter: what they call a job is a run here, a corpus's key the name of a knowledge base.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response

from agent.api.answers import answers
from agent.api.auth import Reader
from agent.api.context import api_of
from agent.api.contracts.job_listing_words import (
    LARGEST_PAGE,
    MOST_CORPORA,
    PAGE,
    SMALLEST_PAGE,
    STATES,
    TYPES,
    UNKNOWN_TYPE,
)
from agent.api.errors import Refusal
from agent.api.lean import LeanRoute
from agent.core.ports import ListedRun
from agent.core.running.listing import ListedPage, Wanted
from agent.core.running.page_keys import BadPageKey
from shared.errors import InvalidInput, NotFound
from shared.models.base import Instant
from shared.states import RunState

PREFIX = "/v2/jobs"
PURPOSE = "list-jobs.v2"
routes = APIRouter(tags=["job_listing"], route_class=LeanRoute)

_STATES: Mapping[str, RunState | None] = {name: state for state, (_, name) in STATES.items()} | {"unknown": None}
_LONGEST_KEY = 200


class ListQuery(BaseModel):
    """With `page_key` all others are ignored. Unknown ones are ignored."""

    corpus_key: Annotated[list[Annotated[str, Field(max_length=_LONGEST_KEY)]], Field(max_length=MOST_CORPORA)] = []
    after: str | None = None
    state: Annotated[list[str], Field(max_length=100)] = []
    limit: Annotated[int, Field(ge=SMALLEST_PAGE, le=LARGEST_PAGE)] = PAGE
    page_key: str | None = None


class ListedJobV2(BaseModel):
    id: str
    type: str
    corpus_keys: list[str]
    state: str
    created_at: Instant
    started_at: Instant | None = None
    completed_at: Instant | None = None
    created_by_username: str | None = None


class ListMetadata(BaseModel):
    page_key: str | None = None


class ListJobsV2Answer(BaseModel):
    jobs: list[ListedJobV2]
    metadata: ListMetadata


class ListingV2ErrorBody(BaseModel):
    """Refusals name the request; of a 404 also what was not found, of a 400 the wrong fields."""

    messages: list[str]
    request_id: str
    id: str | None = None
    field_errors: dict[str, str] | None = None


@routes.get("/v2/jobs", **answers(200, ListJobsV2Answer, 405, error=ListingV2ErrorBody))
async def list_jobs_of_account_v2(request: Request, caller: Reader, query: Annotated[ListQuery, Query()]) -> Response:
    """Runs that the caller may read, newest first; of all states unless some are named."""
    listing = api_of(request).core.listing
    if not query.page_key:
        return _page(await listing.first(caller, _wanted(query), PURPOSE))
    try:
        return _page(await listing.next(caller, query.page_key, PURPOSE))
    except BadPageKey:
        raise InvalidInput.one("page_key", "is none that was handed out to this account", None) from None


@routes.get("/v2/jobs/{id}", **answers(200, ListedJobV2, 404, 405, error=ListingV2ErrorBody))
async def get_job_of_account_v2(request: Request, caller: Reader, id: str) -> Response:  # noqa: A002  (their word)
    """One run."""
    found = await api_of(request).core.listing.first(caller, Wanted(run_id=id, limit=1), PURPOSE)
    if not found.runs:
        raise NotFound(f"there is no job {id[:100]!r}")
    return _answer(_job(found.runs[0]))


def envelope(refusal: Refusal) -> Any:
    error = refusal.error
    told: dict[str, Any] = {"messages": [error.message], "request_id": refusal.request_id}
    if refusal.status == 404:
        told["id"] = refusal.path.removeprefix(PREFIX).removeprefix("/")
    if isinstance(error, InvalidInput):
        told["field_errors"] = {fault.field: fault.message for fault in error.faults}
    return told


def _wanted(query: ListQuery) -> Wanted:
    return Wanted(
        base_names=tuple(dict.fromkeys(query.corpus_key)) or None,
        states=_states(query.state) if query.state else None,
        since=None if query.after is None else _moment(query.after),
        limit=query.limit,
    )


def _states(names: list[str]) -> tuple[RunState, ...]:
    wrong = next((name for name in names if name not in _STATES), None)
    if wrong is not None:
        raise InvalidInput.one("state", f"must be one of {', '.join(_STATES)}", wrong)
    return tuple(dict.fromkeys(state for name in names if (state := _STATES[name]) is not None))


def _moment(text: str) -> datetime:
    """Naive means UTC. In an address, the plus of an offset may have come as a space."""
    try:
        moment = datetime.fromisoformat(
            text.strip().replace(" ", "T", 1) if "T" not in text else text.replace(" ", "+")
        )
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput.one("after", "must be a date and time, as in 2025-06-19T18:00:00Z", text) from None


def _page(page: ListedPage) -> Response:
    return _answer({"jobs": [_job(run) for run in page.runs], "metadata": {"page_key": page.key}})


def _job(run: ListedRun) -> dict[str, Any]:
    job = {
        "id": run.id,
        "type": TYPES.get(run.type, UNKNOWN_TYPE)[1],
        "corpus_keys": [name for _, name in run.bases],
        "state": STATES[run.state][1],
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.finished_at,
        "created_by_username": run.owner,
    }
    return {name: value for name, value in job.items() if value is not None}


def _answer(said: Any) -> Response:
    return Response(to_json(said), media_type="application/json")
