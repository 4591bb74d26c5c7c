"""One connection, held with suspicion: who has not said yet who is calling must not keep others out.

A request's head is whole within seconds, a body goes on coming, and there are never so many connections that the agent
could not open a file: where one more comes, the one that has rested longest makes room.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterable
from typing import Any

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.api.outgoing import Outgoing

HEAD_SECONDS = 15.0
"""For the head of a request, from its first byte; for the first byte, from the connection."""
BODY_SECONDS = 60.0
"""For the next byte of a body that is waited for."""
_MOST = 4096


class Connection(H11Protocol):
    _began = 0.0
    _heard = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._outgoing = self.transport = Outgoing(transport, self.loop)  # type: ignore[assignment]  # it does what one does
        self._began = self._heard = self.loop.time()
        if len(self.connections) > most_connections():
            self._make_room()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self.timeout_keep_alive_task is not None:
            self._began = self._heard
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._outgoing.flush()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Also where the answer has begun already, which uvicorn takes for a defect."""
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.abort()

    @property
    def rests(self) -> bool:
        """No request is under way whose head is whole."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def rests_since(self) -> float:
        return self._heard

    def is_late(self, now: float) -> bool:
        """Said of what the peer owes; what it may rest between requests is uvicorn's to measure."""
        if self.rests:
            return self.timeout_keep_alive_task is None and now - self._began > HEAD_SECONDS
        return self.cycle.more_body and not self.flow.read_paused and now - self._heard > BODY_SECONDS

    def _make_room(self) -> None:
        others = [each for each in self.connections if isinstance(each, Connection) and each is not self and each.rests]
        leaving = min(others, key=lambda each: each.rests_since, default=self)
        leaving.transport.abort()
        self.connections.discard(leaving)


def most_connections() -> int:
    """At one door; two of them leave a third of the files that a process may have open."""
    return max(16, min(_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 3))


def cut_late(connections: Iterable[asyncio.Protocol], now: float) -> None:
    for connection in list(connections):
        if isinstance(connection, Connection) and connection.is_late(now):
            connection.transport.abort()


class Unambiguous:
    """The app behind a refusal of requests that tell the length of their body in two ways: a proxy before the agent may
    take the other one, and see an end of the request elsewhere (RFC 9112, 6.1). What names its whole URL gets there as
    what names its path does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope["headers"]}
        if {b"content-length", b"transfer-encoding"} <= names:
            await _refuse(send)
        else:
            await self._app(_in_origin_form(scope), receive, send)


def _in_origin_form(scope: Scope) -> Scope:
    """Of who takes the agent for their proxy: the host in the URL counts in place of the header (RFC 9112, 3.2.2)."""
    if not scope["path"].lower().startswith(("http://", "https://")):
        return scope
    authority, _, path = scope["path"].partition("://")[2].partition("/")
    _, _, raw = scope["raw_path"].partition(b"://")[2].partition(b"/")
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        **scope,
        "path": f"/{path}",
        "raw_path": b"/" + raw,
        "headers": [*others, (b"host", authority.encode("latin-1", "replace"))],
    }


async def _refuse(send: Send) -> None:
    text = b"Content-Length and Transfer-Encoding do not go together.\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": text})
