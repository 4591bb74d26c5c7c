"""The contract's words: statuses, spans of time, refusals; and whose organization it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from agent.api.answers import answers
from agent.api.auth import Door
from agent.api.errors import Refusal
from agent.api.lean import LeanRoute
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Hidden
from shared.errors import InvalidInput
from shared.models.base import Instant
from shared.states import RunState

T = TypeVar("T")
ROOT = "/v1/organizations/{organization_id}/knowledge/connectors"
PAGE, LARGEST_PAGE = 20, 100
_DEEPEST_PAGE = 2**31

Status = Literal["pending", "running", "succeeded", "failed", "cancelled"]
STATUS: Mapping[RunState, Status] = {
    RunState.PENDING: "pending",
    RunState.RUNNING: "running",
    RunState.RETRYING: "pending",
    RunState.COMPLETED: "succeeded",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}
_SUBJECTS = {"jobs": "CONNECTOR_JOB", "connections": "CONNECTOR_CONNECTION", "sources": "CONNECTOR_SOURCE"}
_CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    405: "METHOD_NOT_ALLOWED",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    421: "MISDIRECTED_REQUEST",
    429: "RATE_LIMIT_EXCEEDED",
    503: "UNAVAILABLE",
}
_OF_SUBJECT = {404: "NOT_FOUND", 409: "CONFLICT"}


class ForeignOrganization(Hidden):
    code = "ORGANIZATION_NOT_FOUND"
    why = "it is not the caller's organization"


class ConnectorError(BaseModel):
    code: str
    message: str
    type: Literal["client_error", "server_error"]
    status: int
    details: dict[str, Any]
    trace_id: str
    timestamp: Instant


class ConnectorErrorBody(BaseModel):
    """Every refusal of this contract; `details` has the wrong fields by name."""

    success: Literal[False] = False
    error: ConnectorError


class Listed(BaseModel, Generic[T]):
    """A page, and how many there are in all."""

    data: list[T]
    total: int


def connector_routes() -> APIRouter:
    return APIRouter(prefix=ROOT, tags=["connector_jobs"], route_class=LeanRoute)


connector_answers: Callable[..., Any] = partial(answers, error=ConnectorErrorBody)


def envelope(refusal: Refusal) -> Any:
    error = refusal.error
    details: dict[str, str] = {}
    code = _code(refusal)
    if isinstance(error, InvalidInput):
        details = {fault.field: fault.message for fault in error.faults}
        own = {fault.code for fault in error.faults if fault.code.isupper()}
        code = own.pop() if own else code
    assert refusal.at is not None
    told = ConnectorError.model_construct(
        code=code,
        message=error.message,
        type="server_error" if refusal.status >= 500 else "client_error",
        status=refusal.status,
        details=details,
        trace_id=refusal.request_id,
        timestamp=refusal.at,
    )
    return {"success": False, "error": told.model_dump(mode="json")}


def duration_of(started: datetime | None, finished: datetime | None) -> str | None:
    """ISO 8601, to the millisecond; None before the end. What never began took no time."""
    if finished is None:
        return None
    span = timedelta(0) if started is None else max(finished - started, timedelta(0))
    minutes, milliseconds = divmod(round(span / timedelta(milliseconds=1)), 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")
    parts = (f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{seconds}S" if milliseconds else "")
    return "PT" + ("".join(parts) or "0S")


def states_of(status: Status | None) -> tuple[RunState, ...] | None:
    return None if status is None else tuple(state for state, name in STATUS.items() if name == status)


def _moment(value: Any, *, end: bool) -> datetime:
    """Naive means UTC; a date alone the day's first moment, as an end its last."""
    try:
        moment = datetime.fromisoformat(str(value).strip().replace(" ", "+" if "T" in str(value) else "T"))
        if len(str(value).strip()) <= len("2025-06-19") and end:
            moment = datetime.combine(moment, time.max)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a date and time, as in 2024-06-15T10:00:00Z") from None


def _code(refusal: Refusal) -> str:
    if refusal.error.code.isupper():
        return refusal.error.code
    if refusal.status in _OF_SUBJECT:
        parts = refusal.path.partition("/connectors/")[2].split("/")
        return f"{_SUBJECTS.get(parts[0], 'CONNECTOR')}_{_OF_SUBJECT[refusal.status]}"
    return _CODES.get(refusal.status, "INTERNAL_ERROR")


class _DoorHere(Door):
    """The caller, whose organization it is."""

    async def __call__(self, request: Request, organization_id: str) -> Caller:  # type: ignore[override]  # FastAPI reads it
        caller = await super().__call__(request)
        if organization_id != caller.account_id:
            raise ForeignOrganization(f"there is no organization {organization_id[:100]!r}")
        return caller


ReaderHere = Annotated[Caller, Depends(_DoorHere(Scope.READ))]
RunnerHere = Annotated[Caller, Depends(_DoorHere(Scope.RUN))]
EditorHere = Annotated[Caller, Depends(_DoorHere(Scope.EDIT))]
DeleterHere = Annotated[Caller, Depends(_DoorHere(Scope.DELETE))]
AdminHere = Annotated[Caller, Depends(_DoorHere(Scope.ADMIN))]

Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE)]
Offset = Annotated[int, Field(ge=0, le=_DEEPEST_PAGE)]
Since = Annotated[datetime | None, BeforeValidator(partial(_moment, end=False))]
Until = Annotated[datetime | None, BeforeValidator(partial(_moment, end=True))]
ShortText = Annotated[str, Field(max_length=200), AfterValidator(str.strip)]


class PageQuery(BaseModel):
    limit: Limit = PAGE
    offset: Offset = 0
