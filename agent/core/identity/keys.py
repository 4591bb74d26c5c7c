"""The keys of an issuer: fetched when they are needed, kept for a while, fetched anew when a bearer names another."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from shared.clock import Clock
from shared.errors import Unavailable

_log = structlog.get_logger()

if TYPE_CHECKING:  # loaded with the first bearer of an issuer
    from joserfc.jwk import Key

_ANEW_AFTER = 30.0
"""Seconds between two fetches that an unknown key asked for, for bearers can be made up faster; and between two that
failed, while there are known keys."""
_AGAIN_AFTER = 5.0
"""Seconds between two fetches that failed, where no key is known."""
_STALE_FOR = 3600.0
"""Seconds that known keys are taken while the issuer does not answer."""


class KeySource(Protocol):
    async def fetch(self) -> dict[str, Any]:
        """The issuer's JWKS document as it is now. Unavailable."""


class KeySet:
    """One fetch at a time; a key counts as long as the newest document has it."""

    def __init__(self, source: KeySource, clock: Clock, keep_for: timedelta) -> None:
        self._source = source
        self._clock = clock
        self._keep_for = keep_for.total_seconds()
        self._keys: list[Key] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str | None) -> Key | None:
        """The key of that id; without one, the only key there is. None: there is none, as far as is known now.
        Unavailable while nothing could be fetched."""
        if self._age() >= self._keep_for and not (self._keys and self._fetching.locked()):
            await self._refresh(_ANEW_AFTER if self._keys else _AGAIN_AFTER)
        if self._fetched_at is None:
            raise Unavailable("the keys of the bearer's issuer cannot be read now")
        found = self._known(key_id)
        if found is None:
            await self._refresh(_ANEW_AFTER)
            found = self._known(key_id)
        return found

    def _known(self, key_id: str | None) -> Key | None:
        matching = [key for key in self._keys if key_id is None or key.kid == key_id]
        return matching[0] if len(matching) == 1 else None

    def _age(self) -> float:
        return math.inf if self._fetched_at is None else self._clock.monotonic() - self._fetched_at

    async def _refresh(self, gap: float) -> None:
        """Unless the last try is less than `gap` seconds ago."""
        async with self._fetching:
            now = self._clock.monotonic()
            if self._tried_at is not None and now - self._tried_at < gap:
                return
            self._tried_at = now
            try:
                document = await self._source.fetch()
            except Unavailable as error:
                _log.warning("issuer_keys_unavailable", reason=error.message)
                if self._age() > _STALE_FOR:
                    self._keys, self._fetched_at = [], None
            else:
                self._keys, self._fetched_at = _usable(document.get("keys")), now


def _usable(given: Any) -> list[Key]:
    """Keys that sign; what is none of those that are known here is left out, as others may be for others."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    keys: list[Key] = []
    for each in given if isinstance(given, Sequence) else ():
        if isinstance(each, dict) and each.get("use", "sig") == "sig":
            try:
                keys.append(JWKRegistry.import_key(each))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return keys
