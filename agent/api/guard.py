"""What is asked of every request before a route sees it, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog
from fastapi import FastAPI
from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.api.context import Api
from agent.api.errors import Misdirected, Refusal, refusal_of
from agent.api.peers import Channel, channel_of, host_name, is_local_address, is_loopback_name
from agent.api.rates import RATE_KEY
from shared.errors import Forbidden, InvalidInput

_log = structlog.get_logger()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEAD = "jobdeck.head"
_KEY = "jobdeck.request_id"


def is_head(scope: Scope) -> bool:
    """HEAD is routed as GET; the server drops the body."""
    return bool(scope.get(_HEAD))


def request_id_of(scope: Scope) -> str:
    return str(scope.get(_KEY, ""))


class Guard:
    """Outermost: names the request, checks where it was sent to and from, measures it, lets no exception out."""

    def __init__(self, app: ASGIApp, api: Api, own_names: frozenset[str]) -> None:
        self._app = app
        self._api = api
        self._own_names = own_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        marked = {**scope, _KEY: _given_id(headers) or self._api.core.new_id()}
        if scope["method"] == "HEAD":
            marked |= {"method": "GET", _HEAD: True}
        await self._answer(marked, headers, receive, _Answer(self._api, marked, send))

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, answer: _Answer) -> None:
        try:
            self._check(scope, headers)
            await self._app(scope, receive, answer.send)
        except SendTimeoutError:
            _log.info("stream_dropped", request_id=request_id_of(scope), path=scope["path"])
        except Exception as error:
            refusal = refusal_of(error, request_id_of(scope))
            log_failure(refusal, error, scope)
            if not answer.started:
                await self._api.envelopes.answer(scope["path"], refusal)(scope, receive, answer.send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise InvalidInput.one("url", "must not contain the NUL character")
        if channel_of(scope) is Channel.SOCKET:
            return
        host = headers.get("host", "")
        name = host_name(host)
        is_ours = is_loopback_name(name) or name in self._own_names or is_local_address(name, scope)
        if not is_ours and "host" in headers:  # HTTP/1.0 may leave it out, as probes do; no browser does
            raise Misdirected(f"this agent does not answer for the host '{name}'; add it to the setting allowed_hosts")
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host.lower():
            raise Forbidden(f"requests from pages of another site ({origin}) are refused")


def log_failure(refusal: Refusal, error: Exception, scope: Scope) -> None:
    """A defect's traceback, under the request's id; refusals are answers, not failures."""
    if refusal.status == 500:
        _log.error("request_failed", request_id=request_id_of(scope), path=scope["path"], exc_info=error)


class _Answer:
    """The way out of one request: adds what every answer carries and measures when it began."""

    def __init__(self, api: Api, scope: Scope, send: Send) -> None:
        self._api = api
        self._scope = scope
        self._send = send
        self._began = api.core.clock.monotonic()
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = request_id_of(self._scope)
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
            self._tell_rate(headers)
            self._measure(message["status"])
        await self._send(message)

    def _tell_rate(self, headers: MutableHeaders) -> None:
        """Where the contract of the path says so."""
        worded = self._api.envelopes.rate_headers(self._scope["path"])
        if worded is not None:
            allowance = self._api.rates.allowance(self._scope.get(RATE_KEY))
            headers.update(worded(allowance, self._api.core.clock.now()))

    def _measure(self, status: int) -> None:
        route = getattr(self._scope.get("route"), "path", "none")
        method = "HEAD" if is_head(self._scope) else self._scope["method"]
        seconds = self._api.core.clock.monotonic() - self._began
        self._api.metrics.observe(method if method in _METHODS else "other", route, status, seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _given_id(headers: Mapping[str, str]) -> str | None:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else None


def allowed_methods(app: FastAPI, scope: Scope) -> set[str]:
    """The methods of the routes that have this path; where one names it and others would take it for an id, of the
    first alone."""
    by_freedom: dict[int, set[str]] = {}
    for route in app.routes:
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            freedom = len(getattr(route, "param_convertors", ()))
            by_freedom.setdefault(freedom, set()).update(getattr(route, "methods", None) or ())
    found = by_freedom[min(by_freedom)] if by_freedom else set[str]()
    return found | ({"HEAD"} if "GET" in found else set())
