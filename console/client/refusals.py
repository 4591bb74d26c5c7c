"""From an answer or a broken connection to the error that says what happened."""

from __future__ import annotations

import json
from typing import Any

import httpx

from console.client.target import Target
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

_BY_CODE: dict[str, type[JobdeckError]] = {
    error.code: error
    for error in (
        InvalidInput,
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        Drifted,
        StaleVersion,
        IllegalMove,
        TooMany,
        LimitReached,
        Unavailable,
    )
}
_BY_STATUS: dict[int, type[JobdeckError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: TooMany,
}


_NOTHING_SAID = "no credentials"
"""How the agent's refusal begins of a request that names nobody; a password that is wrong is another matter."""
_HOW_TO_SAY_SO = "`jobdeck login {url}` gets a token and keeps it, or set JOBDECK_TOKEN"
_OPENS_NOTHING = "the token "
"""How it begins of a token that opens nothing any more."""
_WITHOUT_ANSWER = (
    *(httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout),
    *(httpx.RemoteProtocolError, httpx.CloseError),
)
_QUESTIONS = ("/_check", "/_plan", "/_preview", "/_search", "/_test")
"""They are asked by POST, and change nothing."""


def refusal(target: Target, response: httpx.Response) -> JobdeckError:
    """The error that the agent raised, rebuilt from its envelope; for other answers one that says who answered."""
    envelope = _envelope(response.content)
    if envelope is None:
        return _without_envelope(target, response)
    message = str(envelope.get("message") or f"{target.address} answered {response.status_code}")
    kind = _BY_CODE.get(str(envelope.get("code"))) or _by_status(response.status_code)
    nobody = target.token is None and target.socket is None
    if kind is Unauthenticated and nobody and message.startswith(_NOTHING_SAID):
        return Unauthenticated(f"{target.url} has to know who is calling: {_HOW_TO_SAY_SO.format(url=target.url)}")
    if kind is Unauthenticated and target.token and message.startswith(_OPENS_NOTHING):
        return Unauthenticated(f"{message}; `jobdeck login {target.url}` gets another")
    if kind is InvalidInput:
        return InvalidInput(_faults(envelope, message))
    if kind is Drifted:
        return Drifted(message, _faults(envelope, message))
    if kind is TooMany:
        return TooMany(message, _seconds(response.headers.get("Retry-After")))
    return kind(message)


def trouble(target: Target, error: httpx.HTTPError | httpx.InvalidURL) -> JobdeckError:
    """Why nothing came back, and what to do about it."""
    cause = _os_error(error)
    if isinstance(cause, PermissionError):
        return Forbidden(
            f"this user may not use {target.address}; ask as its owner, or set JOBDECK_AGENT to a URL and JOBDECK_TOKEN"
        )
    told = _trouble(target, error, cause)
    return Unavailable(f"{told}; look whether it was done before you do it again" if _may_be_done(error) else told)


def foreign(target: Target, what: str) -> Unavailable:
    return Unavailable(f"what answers at {target.address} is not an agent of Jobdeck, or of another version: {what}")


def _may_be_done(error: Exception) -> bool:
    """What was to change something had been sent, and no answer came."""
    if not isinstance(error, _WITHOUT_ANSWER):
        return False
    try:
        request = error.request
    except RuntimeError:  # of an answer that had begun
        return False
    return request.method not in ("GET", "HEAD") and not request.url.path.endswith(_QUESTIONS)


def _trouble(target: Target, error: Exception, cause: OSError | None) -> str:
    where = target.address
    if target.socket and isinstance(cause, FileNotFoundError):
        return f"no agent runs here ({where} is missing); start one with `jobdeck agent`, or set JOBDECK_AGENT"
    if isinstance(cause, ConnectionRefusedError):
        return f"no agent listens at {where}; start it with `jobdeck agent`, or set JOBDECK_AGENT to where it is"
    if isinstance(error, httpx.TimeoutException):
        return f"the agent at {where} does not answer in time; it may be overloaded, or the network is"
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError | httpx.CloseError):
        return f"the connection to the agent at {where} was cut; it may have been restarted"
    detail = str(cause or error) or type(error).__name__
    return f"the agent at {where} cannot be reached: {detail}; check JOBDECK_AGENT and the network"


def _os_error(error: BaseException | None) -> OSError | None:
    """httpx keeps what the system said some causes deep, and among several when a name has several addresses."""
    if error is None:
        return None
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := _os_error(each))), None)
    deeper = _os_error(error.__cause__ or error.__context__)
    return deeper or (error if isinstance(error, OSError) else None)


def _envelope(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except ValueError:
        return None
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) else None


def _without_envelope(target: Target, response: httpx.Response) -> JobdeckError:
    status = f"{response.status_code} {response.reason_phrase}".strip()
    if response.status_code >= 500:
        return Unavailable(f"{target.address} answered {status}; the agent, or a proxy before it, is in trouble")
    if response.is_redirect:
        return foreign(
            target, f"it redirects to {response.headers.get('Location', 'elsewhere')}; put that in its place"
        )
    return foreign(target, f"it answered {status}")


def _faults(envelope: dict[str, Any], message: str) -> list[Fault]:
    given = [each for each in envelope.get("faults") or [] if isinstance(each, dict)]
    faults = [Fault(str(f.get("field", "")), str(f.get("message", "")), f.get("value")) for f in given]
    return faults or [Fault("request", message)]


def _by_status(status: int) -> type[JobdeckError]:
    return _BY_STATUS.get(status, Unavailable if status >= 500 else JobdeckError)


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
