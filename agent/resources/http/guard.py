"""Which addresses a request may reach: public ones, and private networks that the agent's settings allow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_NOBODYS = [ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")]
"""Set aside by IANA's registries, which `ipaddress` knows in part, and in part by its version; in the first of them
clouds answer with what a machine may know of itself."""


def guarded(client: httpx.AsyncClient, allowed: Sequence[str]) -> httpx.AsyncClient:
    """The client, with every new connection of it checked after the name was resolved, and made to that very address.
    Where a name leads to refused addresses alone, none of them is touched. Not so where its answers change between the look
    and the connection, or are of both kinds: the library finds the address by connecting, and a refusal tells an open port
    from a closed one."""
    seen: set[tuple[str, int | None]] = set()

    async def look_ahead(request: httpx.Request) -> None:
        place = (request.url.host, request.url.port)
        if place not in seen:
            await _refuse_names_of_refused(*place, allowed)
            seen.add(place)

    def may_reach(_host: str, address: Address, _port: int) -> bool:
        return is_allowed(address, allowed)

    client.event_hooks["request"].append(look_ahead)
    return httpx_ssrf_protection(client, check_globally_reachable=False, custom_validator=may_reach)


async def _refuse_names_of_refused(host: str, port: int | None, allowed: Sequence[str]) -> None:
    """SSRFProtectionError. An address, or a name that cannot be resolved, is told when it is connected to."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    addresses = [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]
    if addresses and not any(is_allowed(address, allowed) for address in addresses):
        first = addresses[0]
        raise SSRFProtectionError.custom_validation_failed(str(first), hostname=host, ip_addr=first, port=port or 0)


def refused_address(error: SSRFProtectionError) -> str:
    """As an operator knows it: the address, with the name that led to it."""
    address = str(error.ip_addr)
    return address if error.hostname in (address, f"[{address}]") else f"{error.hostname} ({address})"


def is_allowed(address: Address, allowed: Sequence[str]) -> bool:
    """Public, or in one of the networks (CIDR)."""
    real = _unwrapped(address)
    networks = [ip_network(text, strict=False) for text in allowed]
    return _is_public(real) or any(real.version == network.version and real in network for network in networks)


def _is_public(address: Address) -> bool:
    is_site_local = isinstance(address, IPv6Address) and address.is_site_local  # deprecated (RFC 3879), routed by some
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified or is_site_local
    return address.is_global and not is_special and not any(address in network for network in _NOBODYS)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside of an IPv6 one, where that is what is reached in the end."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = IPv4Address(address.packed[-4:])
    return inner or address
