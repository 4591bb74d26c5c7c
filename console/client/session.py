"""One HTTP connection pool to one agent: sends, checks, reads; errors come out as Jobdeck's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from httpx_sse import EventSource
from pydantic import BaseModel, ValidationError

from console.client.line import Message
from console.client.refusals import foreign, refusal, trouble
from console.client.target import Target
from shared.errors import InvalidInput
from shared.sockets import way_to

Shape = TypeVar("Shape", bound=BaseModel)
Params = Mapping[str, Any]

_SILENCE = 45.0
"""Seconds without a byte after which a stream counts as cut; the agent pings every 15."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Session:
    """What all routes share. Not to be used by two event loops."""

    def __init__(
        self,
        target: Target,
        *,
        timeout: float,
        user_agent: str = "jobdeck",
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        """`user_agent`: what the agent's record calls this client. `on_answer` is called when a request was granted."""
        self.target = target
        self._on_answer = on_answer
        self._timeout = timeout
        self._client = _open(target, timeout, user_agent)

    async def fetch(self, shape: type[Shape], method: str, path: str, **details: Any) -> Shape:
        """Send, and read the answer as `shape`; details as of `send`."""
        response = await self.send(method, path, **details)
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "its answer"
            raise foreign(self.target, f"{where}: {first['msg']}") from error

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: BaseModel | Mapping[str, Any] | None = None,
        version: int | None = None,
        patience: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request under `/api`. `version` becomes If-Match; `patience` is added to the time it may take.

        A reading request whose connection was cut is sent once more: the agent may have closed an idle one.
        """
        request = self._client.build_request(
            method,
            f"api{path}",
            params=_given(params),
            content=_encode(body),
            headers={**_headers(body, version), **(headers or {})},
            timeout=self._timeout + patience,
        )
        try:
            response = await self._exchange(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise trouble(self.target, error) from error
        if not response.is_success:
            raise refusal(self.target, response)
        self._on_answer()
        return response

    async def listen(
        self, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Message, None]:
        """One connection's server-sent events, after a Message `open`; ends where the agent ends it, raises at a cut."""
        try:
            async with self._client.stream(
                "GET",
                f"api{path}",
                params=_given(params),
                headers={"Accept": "text/event-stream", "Cache-Control": "no-store", **(headers or {})},
                timeout=httpx.Timeout(self._timeout, read=_SILENCE),
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise refusal(self.target, response)
                yield Message("open")
                async for event in EventSource(response).aiter_sse():
                    yield Message(event.event, event.data, event.id)
        except httpx.HTTPError as error:
            raise trouble(self.target, error) from error

    async def close(self) -> None:
        await self._client.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._client.send(request)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            if request.method != "GET":
                raise
            return await self._client.send(request)


def segment(field: str, key: str) -> str:
    """One part of a path from what a user wrote; nothing in it can reach another route."""
    if key in {"", ".", ".."} or not key.isprintable():
        raise InvalidInput.one(field, "write an id or a name", key)
    return quote(key, safe=":")


def _open(target: Target, timeout: float, user_agent: str) -> httpx.AsyncClient:
    """Proxies and certificates of the environment count only for agents elsewhere; the world's certificates, which take
    longer to load than most requests, only where there is encryption."""
    near = target.socket is not None or urlsplit(target.url).hostname in _LOOPBACK
    return httpx.AsyncClient(
        base_url=f"{target.url}/",
        transport=httpx.AsyncHTTPTransport(uds=way_to(target.socket), verify=False) if target.socket else None,
        headers={"User-Agent": user_agent} | ({"Authorization": f"Bearer {target.token}"} if target.token else {}),
        timeout=timeout,
        trust_env=not near,
        verify=urlsplit(target.url).scheme != "http",
        limits=httpx.Limits(max_keepalive_connections=4),
    )


def _given(params: Params | None) -> dict[str, Any] | None:
    """Leave out what was not asked for; an empty query would still be a query."""
    given = {name: value for name, value in (params or {}).items() if value is not None}
    return given or None


def _encode(body: BaseModel | Mapping[str, Any] | None) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, BaseModel):
        return body.model_dump_json(by_alias=True).encode()
    from pydantic_core import to_json

    return to_json(body)


def _headers(body: object, version: int | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    return headers | ({"If-Match": f'"{version}"'} if version is not None else {})
