"""The way out for requests: connections to addresses that were judged, and to no other."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import httpx

from agent.resources.http.guard import is_allowed

PATIENCE = 3.0
"""Seconds that an address of several has to take a connection, before the next one is tried."""


class AddressRefused(httpx.RequestError):
    """`where`: the address as an operator knows it, with the name that led to it."""

    def __init__(self, host: str, address: str) -> None:
        self.where = address if host == address else f"{host} ({address})"
        super().__init__(f"{self.where} is not a public address, and not one that is allowed")


class GuardedTransport(httpx.AsyncBaseTransport):
    """A name is resolved once for each request, and what it leads to is judged before anything is sent there: what is refused
    hears of nothing, and nobody learns which of its ports are open. A connection is kept for the name that it was made for,
    so that of two names with one address neither gets the other's."""

    def __init__(self, allowed: Sequence[str], verify: ssl.SSLContext | bool) -> None:  # noqa: FBT001 (as httpx has it)
        self._allowed = allowed
        self._verify = verify
        self._ways: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """AddressRefused, and what httpx raises."""
        host = request.url.raw_host.decode("ascii")
        *others, last = await _judged(host, request.url.port, self._allowed)
        for address in others:
            try:
                return await self._way(host).handle_async_request(_led_to(address, host, request, PATIENCE))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing of the request was sent
        return await self._way(host).handle_async_request(_led_to(last, host, request))

    async def aclose(self) -> None:
        for way in self._ways.values():
            await way.aclose()

    def _way(self, host: str) -> httpx.AsyncHTTPTransport:
        if host not in self._ways:
            self._ways[host] = httpx.AsyncHTTPTransport(verify=self._verify, trust_env=False)
        return self._ways[host]


def guarded_client(
    allowed: Sequence[str], *, verify: ssl.SSLContext | bool = True, timeout: httpx.Timeout | float | None, **named: Any
) -> httpx.AsyncClient:
    """`allowed`: private networks (CIDR) that may be reached. No redirects by itself, and no proxies, .netrc or certificates
    out of the environment: a proxy would resolve names beyond the guard."""
    way = GuardedTransport(allowed, verify)
    return httpx.AsyncClient(transport=way, trust_env=False, follow_redirects=False, timeout=timeout, **named)


async def _judged(host: str, port: int | None, allowed: Sequence[str]) -> list[str]:
    """The addresses of that name which may be reached, at least one, best first. AddressRefused if none of them may;
    httpx.ConnectError if it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host}: {error}") from error
    addresses = list(dict.fromkeys(str(where[0]).partition("%")[0] for *_, where in found))
    reachable = [address for address in addresses if is_allowed(ip_address(address), allowed)]
    if addresses and not reachable:
        raise AddressRefused(host, addresses[0])
    if not reachable:
        raise httpx.ConnectError(f"{host} has no address")
    return reachable


def _led_to(address: str, host: str, request: httpx.Request, patience: float | None = None) -> httpx.Request:
    """The same request, with its name in the header and in the certificate, to that very address."""
    extensions = dict(request.extensions)
    if host != address:
        extensions["sni_hostname"] = host
    if patience is not None:
        given: dict[str, float | None] = extensions.get("timeout", {})
        connect = given.get("connect")
        extensions["timeout"] = {**given, "connect": patience if connect is None else min(connect, patience)}
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )
