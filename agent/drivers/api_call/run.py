"""Sends the request, follows redirects, checks the answer."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import Any

import httpx
from httpx_secure import SSRFProtectionError

from agent.core.driving import DriverError, RunCancelled, RunContext
from agent.drivers.api_call.answer import Answer, check, read_answer
from agent.drivers.api_call.guard import guarded
from agent.drivers.api_call.parameters import ApiCallParameters, Secret

WATCH = 0.05
"""Seconds between two looks at whether the run was cancelled."""


def run(context: RunContext, parameters: ApiCallParameters) -> dict[str, Any]:
    """DriverError(kind='unreachable' | 'timeout' | 'address_refused' | 'redirects' | 'http_status' | 'answer')."""
    answer = asyncio.run(_exchange_unless_cancelled(context, parameters))
    context.log(f"{answer.status} from {answer.url}, {len(answer.body)} bytes in {answer.seconds:.3f} s")
    check(answer, parameters.expect)
    return answer.result()


async def _exchange_unless_cancelled(context: RunContext, parameters: ApiCallParameters) -> Answer:
    exchange = asyncio.create_task(_exchange(context, parameters))
    while not (await asyncio.wait([exchange], timeout=WATCH))[0]:
        if context.cancelled.is_set():
            exchange.cancel()
            await asyncio.wait([exchange])
            raise RunCancelled
    return exchange.result()


async def _exchange(context: RunContext, parameters: ApiCallParameters) -> Answer:
    limit = parameters.timeout.total_seconds()
    try:
        async with asyncio.timeout(limit), _client(context) as client:
            return await _send(context, parameters, client)
    except SSRFProtectionError as error:
        message = f"{error.hostname} is {error.ip_addr}, which is not a public address, and not one that is allowed"
        raise DriverError("address_refused", message) from None
    except TimeoutError:
        raise DriverError("timeout", f"no whole answer within {limit:g} s", transient=True) from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
        raise DriverError("request", f"the request cannot be sent: {error}") from None
    except httpx.TransportError as error:
        message = f"{parameters.method} {parameters.url}: {error or type(error).__name__}"
        raise DriverError("unreachable", message, transient=True) from None


def _client(context: RunContext) -> httpx.AsyncClient:
    # no proxies, .netrc or certificates out of the environment: a proxy would resolve names beyond the guard
    client = httpx.AsyncClient(
        verify=_certificates(),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 (one for the whole)
    )
    return guarded(client, context.allow_private_addresses)


@cache
def _certificates() -> ssl.SSLContext:
    """Loaded once in a worker: it takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


async def _send(context: RunContext, parameters: ApiCallParameters, client: httpx.AsyncClient) -> Answer:
    started = context.clock.monotonic()
    request = _request(context, parameters, client)
    for left in range(parameters.redirects, -1, -1):
        response = await client.send(request, stream=True)
        try:
            following = response.next_request
            if following is None or (parameters.redirects == 0 and response.has_redirect_location):
                return await read_answer(response, context.clock.monotonic() - started)
        finally:
            await response.aclose()
        context.log(f"{response.status_code} from {request.url}, redirected to {following.url}")
        if left:
            request = _without_secrets(following, request.url, parameters)
    raise DriverError("redirects", f"more than {parameters.redirects} redirects")


def _request(context: RunContext, parameters: ApiCallParameters, client: httpx.AsyncClient) -> httpx.Request:
    headers = {"user-agent": "Jobdeck", "accept-encoding": "identity", "idempotency-key": context.run_id}
    if parameters.text is not None:
        headers["content-type"] = "text/plain; charset=utf-8"
    for name, value in parameters.headers.items():
        headers[name.lower()] = _value(context, value)
    body: dict[str, Any] = {}
    if parameters.json_ is not None:
        body["json"] = parameters.json_
    elif parameters.text is not None:
        body["content"] = parameters.text.encode()
    url = httpx.URL(parameters.url)
    if parameters.query:
        url = url.copy_merge_params(parameters.query)
    return client.build_request(parameters.method, url, headers=headers, **body)


def _value(context: RunContext, value: str | Secret) -> str:
    return value.prefix + context.secret(value.secret).strip() if isinstance(value, Secret) else value


def _without_secrets(request: httpx.Request, before: httpx.URL, parameters: ApiCallParameters) -> httpx.Request:
    """Secrets were meant for the host that they were written for, not for where it points to."""
    origin = (request.url.scheme, request.url.host, request.url.port)
    if origin != (before.scheme, before.host, before.port):
        for name, value in parameters.headers.items():
            if isinstance(value, Secret) and name in request.headers:
                del request.headers[name]
    return request
