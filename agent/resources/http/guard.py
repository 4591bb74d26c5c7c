"""Which addresses a request may reach: public ones, and private networks that the agent's settings allow."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_NOBODYS = [ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")]
"""Set aside by IANA's registries, which `ipaddress` knows in part, and in part by its version; in the first of them
clouds answer with what a machine may know of itself."""


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
