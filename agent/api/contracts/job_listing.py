"""`POST /v1/list-jobs`: the runs of an account, page by page.

An adapter: what the document calls a job is a run here, its corpus a knowledge base, its customer an account. int64 are
read as numbers or strings, as JSON of protocol buffers has them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import to_json
from starlette.responses import Response

from agent.api.answers import answers
from agent.api.auth import Reader
from agent.api.bodies import JsonBody, parse_json, read_body
from agent.api.context import Api, api_of
from agent.api.contracts.job_listing_fields import page_key_of, read_body_fields, read_timeout
from agent.api.contracts.job_listing_words import STATES, TYPES, UNKNOWN_TYPE, within
from agent.api.errors import Refusal
from agent.api.lean import LeanRoute
from agent.core.permissions.callers import Caller
from agent.core.ports import ListedRun
from agent.core.running.listing import ListedPage
from agent.core.running.page_keys import BadPageKey
from shared.errors import CredentialsExpired, Forbidden, InvalidInput

PREFIX = "/v1/list-jobs"
PURPOSE = "list-jobs.v1"
routes = APIRouter(tags=["job_listing"], route_class=LeanRoute)

_FAULTS: dict[int, tuple[int, str]] = {
    400: (3, "INVALID_ARGUMENT"),
    401: (16, "UNAUTHENTICATED"),
    403: (7, "PERMISSION_DENIED"),
    404: (5, "NOT_FOUND"),
    405: (12, "METHOD_NOT_ALLOWED"),
    413: (3, "INVALID_ARGUMENT"),
    415: (3, "UNSUPPORTED_MEDIA_TYPE"),
    421: (3, "INVALID_ARGUMENT"),
    429: (8, "TOO_MANY_REQUESTS"),
    503: (14, "UNAVAILABLE"),
    504: (4, "DEADLINE_EXCEEDED"),
}
"""By HTTP status: the code of google.rpc, and the document's."""


class ForeignCustomer(Forbidden):
    """The customer that the request names is not the caller's account."""


class ListJobsRequest(BaseModel):
    """All given are ANDed; with `pageKey` all others are ignored. Unknown fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel)

    job_id: str | None = None
    corpus_id: list[int | str] | None = None
    epoch_secs: int | str | None = None
    state: list[str] | None = None
    num_results: int | str | None = None
    page_key: str | None = None


class ListedJob(BaseModel):
    """`tsStart` and `tsComplete` are absent until they are."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    type: str
    corpus_id: list[int]
    state: str
    ts_create: str
    ts_start: str | None = None
    ts_complete: str | None = None
    user_handle: str | None = None


class ListJobsAnswer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    status: list[Any] = []
    job: list[ListedJob]
    page_key: str = ""


class ListingStatus(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    code: str
    status_detail: str


class ListingErrorBody(BaseModel):
    """Every refusal of this contract."""

    code: int
    message: str
    details: list[Any]
    status: list[ListingStatus]


class _Fields(JsonBody[ListJobsRequest]):
    """The body as it came; none is as an empty one."""

    async def __call__(self, request: Request) -> Any:
        raw = await read_body(request)
        return parse_json(raw) if raw.strip() else {}


_REFUSED = (405, 413, 415, 504)


@routes.post("/v1/list-jobs", **answers(200, ListJobsAnswer, *_REFUSED, error=ListingErrorBody))
async def list_jobs_of_account(
    request: Request,
    caller: Reader,
    body: Annotated[Any, Depends(_Fields(ListJobsRequest, optional=True))],
    customer_id: Annotated[str | None, Header()] = None,
    timeout: Annotated[str | None, Header(description="1S to 300S")] = None,  # noqa: ASYNC109  (a header's name)
) -> Response:
    """Runs that the caller may read, newest first."""
    api = api_of(request)
    async with within(read_timeout(timeout)):
        await _check_customer(api, caller, customer_id)
        page = await _page(api, caller, body)
    return _answer(page)


def envelope(refusal: Refusal) -> Any:
    code, status = _FAULTS.get(refusal.status, (13, "INTERNAL"))
    error = refusal.error
    if isinstance(error, CredentialsExpired):
        status = "EXPIRED_API_KEY"
    if isinstance(error, ForeignCustomer):
        status = "INVALID_CUSTOMER_ID"
    details = [error.message]
    if isinstance(error, InvalidInput):
        details = [f"{fault.field}: {fault.message}" for fault in error.faults]
    statuses = [{"code": status, "statusDetail": detail} for detail in details]
    return {"code": code, "message": error.message, "details": [], "status": statuses}


async def _check_customer(api: Api, caller: Caller, said: str | None) -> None:
    if said and not await api.core.listing.is_account(caller, said.strip()):
        raise ForeignCustomer("the customer-id is not that of the caller's account; leave it out, the key says it")


async def _page(api: Api, caller: Caller, body: Any) -> ListedPage:
    key = page_key_of(body)
    if key is None:
        return await api.core.listing.first(caller, read_body_fields(body, api.core.clock.now()), PURPOSE)
    try:
        return await api.core.listing.next(caller, key, PURPOSE)
    except BadPageKey:
        raise InvalidInput.one("pageKey", "is none that was handed out to this account", None) from None


def _answer(page: ListedPage) -> Response:
    """Written as it is: what has not come yet is absent, which models would have to be told at each run."""
    said = {"status": [], "job": [_job(run) for run in page.runs], "pageKey": page.key or ""}
    return Response(to_json(said), media_type="application/json")


def _job(run: ListedRun) -> dict[str, Any]:
    job: dict[str, Any] = {
        "id": run.id,
        "type": TYPES.get(run.type, UNKNOWN_TYPE)[0],
        "corpusId": [number for number, _ in run.bases],
        "state": STATES[run.state][0],
        "tsCreate": _seconds(run.created_at),
    }
    if run.started_at is not None:
        job["tsStart"] = _seconds(run.started_at)
    if run.finished_at is not None:
        job["tsComplete"] = _seconds(run.finished_at)
    return job if run.owner is None else {**job, "userHandle": run.owner}


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
