"""By which door a request came, and from where. What is said here cannot be said by a client."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_CHANNEL = "jobdeck.channel"
_FORWARDED = ("forwarded", "x-forwarded-")
_LONGEST_PROGRAM = 120


class Channel(StrEnum):
    TCP = "tcp"
    SOCKET = "socket"


class ArrivingBy:
    """The app as it is served on one listening socket: each request is marked with it.

    The mark is a key of the ASGI scope, which the server makes for itself; nothing that a client sends gets there.
    """

    def __init__(self, app: ASGIApp, channel: Channel) -> None:
        self._app = app
        self._channel = channel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, _CHANNEL: self._channel}, receive, send)


def channel_of(scope: Scope) -> Channel:
    """TCP unless a listener marked it otherwise: the door with fewer rights is the default."""
    return Channel(scope.get(_CHANNEL, Channel.TCP))


def host_name(authority: str) -> str:
    """The name in a Host header or an Origin's authority: lower case, without port and brackets."""
    text = authority.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def is_loopback_name(name: str) -> bool:
    """`localhost`, 127.0.0.0/8, ::1; other names are not resolved: whoever owns them decides where they point."""
    address = _address(name)
    return name == "localhost" if address is None else _plain(address).is_loopback


def is_local_address(name: str, scope: Scope) -> bool:
    """True for the literal address that this very connection was made to: no name can be rebound to it."""
    server = scope.get("server")
    wanted, reached = _address(name), _address(str(server[0])) if server else None
    return wanted is not None and reached is not None and _plain(wanted) == _plain(reached)


def is_loopback_peer(scope: Scope) -> bool:
    client = scope.get("client")
    address = _address(str(client[0])) if client else None
    return address is not None and _plain(address).is_loopback


def was_forwarded(headers: Headers) -> bool:
    """True if any proxy said that it passed the request on."""
    return any(name.startswith(_FORWARDED) for name in headers)


def address_of(scope: Scope, headers: Headers, trusted: Sequence[str]) -> str | None:
    """The peer's address; None over the socket. Where the peer is a trusted proxy (CIDR), the last address on the way
    that is none of those: what stands before it in X-Forwarded-For anybody may have written."""
    client = scope.get("client")
    if client is None or channel_of(scope) is not Channel.TCP:
        return None
    found = str(client[0])
    for text in reversed(headers.get("x-forwarded-for", "").split(",")):
        address = _address(found)
        if address is None or not _is_within(_plain(address), trusted) or _address(text.strip()) is None:
            break
        found = text.strip()
    return found


def is_encrypted(scope: Scope, headers: Headers) -> bool:
    """As the server knows it, or a proxy says; who lies about it harms only itself."""
    said = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    return scope.get("scheme") == "https" or said == "https"


def program_of(headers: Headers) -> str | None:
    """The User-Agent, in one line and at most 120 characters."""
    said = "".join(letter for letter in headers.get("user-agent", "") if letter.isprintable())[:_LONGEST_PROGRAM]
    return said or None


def _is_within(address: IPv4Address | IPv6Address, networks: Sequence[str]) -> bool:
    parsed = (ip_network(text, strict=False) for text in networks)
    return any(address.version == network.version and address in network for network in parsed)


@lru_cache(maxsize=1000)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
