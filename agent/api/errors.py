"""The one table from error to answer. A contract says only how its answers are worded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agent.api.rates import Allowance
from shared.clock import Clock
from shared.errors import (
    Conflict,
    Drifted,
    Fault,
    Forbidden,
    IllegalMove,
    InvalidInput,
    JobdeckError,
    LimitReached,
    NotFound,
    StaleVersion,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from shared.faults import message_of
from shared.models.base import Resource


class MethodNotAllowed(JobdeckError):
    code = "method_not_allowed"


class TooLarge(JobdeckError):
    code = "too_large"


class UnsupportedMediaType(JobdeckError):
    code = "unsupported_media_type"


class Misdirected(JobdeckError):
    """The Host is none of this agent's names."""

    code = "misdirected"


class TookTooLong(JobdeckError):
    """The time that the caller gave for the answer has passed."""

    code = "took_too_long"


class Internal(JobdeckError):
    """A defect; what it was stands in the agent's log, never in the answer."""

    code = "internal"


STATUS: Mapping[type[JobdeckError], int] = {
    InvalidInput: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    StaleVersion: 409,
    IllegalMove: 409,
    LimitReached: 409,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Misdirected: 421,
    TooMany: 429,
    Internal: 500,
    Unavailable: 503,
    TookTooLong: 504,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error on its way to become an answer."""

    error: JobdeckError
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    path: str = ""
    at: datetime | None = None
    """When it was answered; set by `Envelopes`."""


Envelope = Callable[[Refusal], Any]
"""How a contract words a refusal: the answer's body, as plain values."""
RateHeaders = Callable[[Allowance, datetime], Mapping[str, str]]
"""What every answer of a contract says of the caller's rate."""


@dataclass(frozen=True, slots=True)
class Contract:
    """How the answers under `prefix` are worded, where they are not the native ones."""

    prefix: str
    envelope: Envelope
    rate_headers: RateHeaders | None = None
    limit_status: int = 429
    """What a limit of an account is there. Natively 409, as document 004 has no 429: what is asked for is in conflict
    with what is there, and waiting alone does not help."""


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Which contract words the refusals of a path: the first prefix that fits, else the native one."""

    clock: Clock
    contracts: tuple[Contract, ...] = ()

    def answer(self, path: str, refusal: Refusal) -> Response:
        contract = self._contract(path)
        told = replace(refusal, path=path, at=self.clock.now())
        if contract is not None and isinstance(refusal.error, LimitReached):
            told = replace(told, status=contract.limit_status)
        wording = native_envelope(told) if contract is None else contract.envelope(told)
        body = to_json(wording, inf_nan_mode="strings", serialize_unknown=True)
        return Response(body, told.status, dict(refusal.headers), "application/json")

    def rate_headers(self, path: str) -> RateHeaders | None:
        contract = self._contract(path)
        return None if contract is None else contract.rate_headers

    def _contract(self, path: str) -> Contract | None:
        return next((each for each in self.contracts if path.startswith(each.prefix)), None)


def refusal_of(error: Exception, request_id: str, allowed: Iterable[str] = ()) -> Refusal:
    """Any exception as a refusal; `allowed` are the methods that the path has, for 405."""
    known = _as_jobdeck_error(error, request_id, allowed)
    status = next(STATUS[kind] for kind in type(known).__mro__ if kind in STATUS)
    return Refusal(known, status, _headers(known, allowed), request_id)


class FaultBody(Resource):
    field: str
    message: str
    value: Any = None


class ErrorDetail(Resource):
    code: str
    message: str
    faults: list[FaultBody] = []


class ErrorBody(Resource):
    """Every refusal under `/api`."""

    error: ErrorDetail


def native_envelope(refusal: Refusal) -> Any:
    faults = refusal.error.faults if isinstance(refusal.error, InvalidInput | Drifted) else ()
    listed = [{"field": fault.field, "message": fault.message, "value": _shown(fault.value)} for fault in faults]
    return {"error": {"code": refusal.error.code, "message": refusal.error.message, "faults": listed}}


def _as_jobdeck_error(error: Exception, request_id: str, allowed: Iterable[str]) -> JobdeckError:
    if isinstance(error, JobdeckError) and any(kind in STATUS for kind in type(error).__mro__):
        return error
    if isinstance(error, RequestValidationError):
        return InvalidInput([fault_of(found) for found in error.errors()])
    if isinstance(error, HTTPException) and error.status_code == 404:
        return NotFound("there is nothing at this path; /openapi.json lists what there is")
    if isinstance(error, HTTPException) and error.status_code == 405:
        return MethodNotAllowed(f"this path answers {', '.join(sorted(allowed))} only")
    return Internal(f"the agent failed to answer; its log says why under the request id {request_id}")


def fault_of(found: Mapping[str, Any], *, show_value: bool = True) -> Fault:
    """One of pydantic's errors as a fault: dotted path, what would be right, the value unless it is secret."""
    place = [str(part) for part in found["loc"] if part not in {"body", "query", "path", "header"}]
    is_shown = show_value and found["type"] not in {"missing", "extra_forbidden"}
    return Fault(".".join(place) or "body", message_of(found), found.get("input") if is_shown else None)


def _headers(error: JobdeckError, allowed: Iterable[str]) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(sorted(allowed))}
    if isinstance(error, TooMany) and error.retry_after is not None:
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    if isinstance(error, Unavailable):
        return {"Retry-After": "5"}
    return {}


def _shown(value: object) -> object:
    """Scalars as they are, long or deep values cut: an answer is no echo."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
