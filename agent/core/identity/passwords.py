"""Passwords: what is a good one, and how they are kept (argon2id, its cost inside the hash)."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import TYPE_CHECKING

from agent.identity_settings import PasswordSettings
from shared.errors import InvalidInput

if TYPE_CHECKING:  # loaded with the first password
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 1024
_AT_ONCE = 2
"""Each takes `memory_kib`; who asks for many logins at once waits, and the agent's memory stays."""


class Passwords:
    """Hashes and checks in threads: each takes long on purpose."""

    def __init__(self, cost: PasswordSettings) -> None:
        self._cost = cost
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._opened: PasswordHasher | None = None
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        async with self._places:
            return await asyncio.to_thread(self._hasher().hash, _as_meant(password))

    async def matches(self, hashed: str | None, password: str) -> bool:
        """One check either way: against nobody's hash where there is none, so that its time tells nothing."""
        if self._nobodys is None:
            self._nobodys = await self.hash("nobody's password")
        async with self._places:
            right = await asyncio.to_thread(self._check, hashed or self._nobodys, password)
        return right and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """True for a hash of another cost than the settings'."""
        return self._hasher().check_needs_rehash(hashed)

    def _check(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher().verify(hashed, _as_meant(password))
        except (VerificationError, InvalidHashError):
            return False

    def _hasher(self) -> PasswordHasher:
        if self._opened is None:
            from argon2 import PasswordHasher

            cost = self._cost
            self._opened = PasswordHasher(cost.time_cost, cost.memory_kib, cost.parallelism)
        return self._opened


def _as_meant(password: str) -> str:
    """Keyboards write the same letter in several ways (RFC 8265)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, handle: str) -> str:
    """Length is what counts. InvalidInput does not repeat it."""
    if len(password) < SHORTEST:
        raise InvalidInput.one("password", f"must have {SHORTEST} characters or more; any will do, a sentence too")
    if len(password) > LONGEST:
        raise InvalidInput.one("password", f"must have at most {LONGEST} characters")
    if password.strip().lower() == handle.lower():
        raise InvalidInput.one("password", "must not be the user's own name")
    return password
