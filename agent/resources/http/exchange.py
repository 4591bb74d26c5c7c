"""Sends a request to where it may go, follows redirects, reads the answer; a cancel ends it at once."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from urllib.parse import urljoin

import httpx

from agent.core.driving import DriverError, RunContext
from agent.resources.cancelling import run_unless_cancelled
from agent.resources.http.answer import Answer, read_answer
from agent.resources.http.parameters import Secret
from agent.resources.http.requests import HttpRequest
from agent.resources.http.spelling import check_url
from agent.resources.http.transport import AddressRefused, guarded_client


def exchange(context: RunContext, request: HttpRequest) -> Answer:
    """DriverError(kind='unreachable' | 'timeout' | 'address_refused' | 'redirects' | 'request')."""
    answer = run_unless_cancelled(context, _exchange(context, request))
    context.log(f"{answer.status} from {answer.url}, {len(answer.body)} bytes in {answer.seconds:.3f} s")
    return answer


async def _exchange(context: RunContext, request: HttpRequest) -> Answer:
    try:
        async with asyncio.timeout(request.limit), _client(context, request) as client:
            return await _send(context, request, client)
    except AddressRefused as error:
        raise DriverError("address_refused", str(error)) from None
    except TimeoutError:
        raise DriverError("timeout", f"no whole answer within {request.limit:g} s", transient=True) from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
        raise DriverError("request", f"the request cannot be sent: {error}") from None
    except httpx.TransportError as error:
        message = f"{request.method} {request.url}: {error or type(error).__name__}"
        raise DriverError("unreachable", message, transient=True) from None


def _client(context: RunContext, request: HttpRequest) -> httpx.AsyncClient:
    whole = None  # the time is one for all of it
    heed = _check_target if request.redirects else _forget_target
    hooks = {"response": [heed]}
    return guarded_client(context.allow_private_addresses, verify=_certificates(), timeout=whole, event_hooks=hooks)


async def _check_target(response: httpx.Response) -> None:
    """DriverError(kind='request') where a redirect leads to what is no URL: httpx takes that for a broken connection."""
    if not response.has_redirect_location:
        return
    target = response.headers["location"]
    try:
        check_url(urljoin(str(response.url), target))
    except ValueError:
        message = (
            f"{response.status_code} from {response.url} redirects to {target[:200]!r}, where no request can be sent"
        )
        raise DriverError("request", message) from None


async def _forget_target(response: httpx.Response) -> None:
    """Nobody follows it, readable or not."""
    response.headers.pop("location", None)


@cache
def _certificates() -> ssl.SSLContext:
    """Loaded once in a worker: it takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


async def _send(context: RunContext, request: HttpRequest, client: httpx.AsyncClient) -> Answer:
    started = context.clock.monotonic()
    going = _built(context, request, client)
    for left in range(request.redirects, -1, -1):
        response = await client.send(going, stream=True)
        try:
            following = response.next_request
            if following is None:
                return await read_answer(response, context.clock.monotonic() - started)
        finally:
            await response.aclose()
        context.log(f"{response.status_code} from {going.url}, redirected to {following.url}")
        if left:
            going = _without_secrets(following, going.url, request)
    raise DriverError("redirects", f"more than {request.redirects} redirects")


def _built(context: RunContext, request: HttpRequest, client: httpx.AsyncClient) -> httpx.Request:
    headers = {"user-agent": "Jobdeck", "accept-encoding": "identity", "idempotency-key": context.idempotency_key}
    for name, value in request.headers.items():
        headers[name] = _value(context, value)
    content = request.body.content if request.body else None
    return client.build_request(request.method, request.url, headers=headers, content=content)


def _value(context: RunContext, value: str | Secret) -> str:
    if not isinstance(value, Secret):
        return value
    found = context.secret(value.secret).strip()
    if not (found.isascii() and found.isprintable()):
        message = f"the secret '{value.secret}' cannot be sent in a header: it is not one line of ASCII characters"
        raise DriverError("request", message)
    return value.prefix + found


def _without_secrets(going: httpx.Request, before: httpx.URL, request: HttpRequest) -> httpx.Request:
    """Secrets were meant for the host that they were written for, not for where it points to."""
    origin = (going.url.scheme, going.url.host, going.url.port)
    if origin != (before.scheme, before.host, before.port):
        for name, value in request.headers.items():
            if isinstance(value, Secret) and name in going.headers:
                del going.headers[name]
    return going
