"""How often one may ask: a bucket of tokens for each caller, on monotonic time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import TooMany

MOST_BUCKETS = 10_000
"""Who has not asked for longest is forgotten first, and begins with all again; who keeps on asking is not."""
RATE_KEY = "jobdeck.rate"
"""In the scope of a request: whose bucket it was taken from."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still ask: `left` of `most` requests; all are allowed again in `full_in` seconds."""

    most: int
    left: int
    full_in: float


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Rates:
    """`per_minute` requests at once, refilled evenly over a minute, for each key."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._most = per_minute
        self._per_second = per_minute / 60
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one request; TooMany with the seconds until the next is allowed."""
        bucket = self._filled(key)
        self._buckets.move_to_end(key)
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / self._per_second
            raise TooMany(f"more than {self._most} requests in a minute; wait and try again", wait)
        bucket.tokens -= 1

    def allowance(self, key: str | None) -> Allowance:
        """None: whoever it is, nothing is counted."""
        if key is None or key not in self._buckets:
            return Allowance(self._most, self._most, 0.0)
        tokens = self._filled(key).tokens
        return Allowance(self._most, int(tokens), (self._most - tokens) / self._per_second)

    def _filled(self, key: str) -> _Bucket:
        now = self._clock.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = _Bucket(self._most, now)
        bucket.tokens = min(self._most, bucket.tokens + (now - bucket.filled_at) * self._per_second)
        bucket.filled_at = now
        return bucket
