"""How often a login may be tried: what guesses passwords is slowed down, and nobody is locked out for long.

Each try is taken from three buckets before the password is looked at, and given back when it was right; a bucket that
is empty fills by itself. A user at an address has few tries and gets them back slowly. An address has more: there may
be many behind it. A user has most of all, from wherever; that bucket does not count for addresses where the user has
logged in before, so that guesses from elsewhere do not keep the user out.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from shared.clock import Clock
from shared.errors import TooMany

_MOST = 10_000
"""Buckets of a kind, and known places, that are kept."""
_ROOM = 1_000


@dataclass(frozen=True, slots=True)
class _Kind:
    tries: int
    seconds: float
    """Until one try comes back."""


_OF_BOTH = _Kind(5, 30)
_OF_ADDRESS = _Kind(30, 4)
_OF_USER = _Kind(30, 6)


class _Buckets:
    def __init__(self, kind: _Kind) -> None:
        self._kind = kind
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, key: str, now: float) -> float:
        """Seconds until there is a try; 0: now."""
        return max(0.0, (1 - self._tries(key, now)) * self._kind.seconds)

    def take(self, key: str, now: float) -> None:
        self._keep(key, self._tries(key, now) - 1, now)

    def give_back(self, key: str, now: float) -> None:
        self._keep(key, self._tries(key, now) + 1, now)

    def _keep(self, key: str, tries: float, now: float) -> None:
        """Behind all others: who was not heard of for longest is forgotten first."""
        self._left.pop(key, None)
        if len(self._left) >= _MOST:
            self._forget(now)
        self._left[key] = (tries, now)

    def _tries(self, key: str, now: float) -> float:
        left, since = self._left.get(key, (float(self._kind.tries), now))
        return min(self._kind.tries, left + (now - since) / self._kind.seconds)

    def _forget(self, now: float) -> None:
        """Full ones are as good as none; if all are in use, some go at once, so that this is not asked each time."""
        self._left = {key: kept for key, kept in self._left.items() if self._tries(key, now) < self._kind.tries}
        while len(self._left) > _MOST - _ROOM:
            self._left.pop(next(iter(self._left)))


class LoginThrottle:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._both, self._address, self._user = _Buckets(_OF_BOTH), _Buckets(_OF_ADDRESS), _Buckets(_OF_USER)
        self._known: dict[str, None] = {}

    def take(self, handle: str, address: str | None) -> None:
        """Count a try as a wrong one, before it is looked at: so tries at the same moment count too. TooMany."""
        now = self._clock.monotonic()
        buckets = self._buckets(handle, address)
        wait = max(bucket.wait(key, now) for bucket, key in buckets)
        if wait > 0:
            raise TooMany("too many logins were tried; wait and try again", wait)
        for bucket, key in buckets:
            bucket.take(key, now)

    def was_right(self, handle: str, address: str | None) -> None:
        """Give the try back, and know the user at that address from now on."""
        now = self._clock.monotonic()
        for bucket, key in self._buckets(handle, address):
            bucket.give_back(key, now)
        self._known[_both(handle, address)] = None
        if len(self._known) > _MOST:
            self._known.pop(next(iter(self._known)))

    def _buckets(self, handle: str, address: str | None) -> list[tuple[_Buckets, str]]:
        both = _both(handle, address)
        of_user = [] if both in self._known else [(self._user, handle.lower())]
        return [(self._both, both), (self._address, _network(address)), *of_user]


def _both(handle: str, address: str | None) -> str:
    return f"{_network(address)} {handle.lower()}"


def _network(address: str | None) -> str:
    """Who has an IPv6 address has 2^64 of them."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "socket"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
