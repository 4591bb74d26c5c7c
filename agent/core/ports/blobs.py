"""Where contents of files lie."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from agent.core.wire import StoredLimit


class Blobs(Protocol):
    """Contents by their SHA-256, apart for each account; written aside and renamed, so that one that is there is whole."""

    async def put(
        self, account_id: str, content: AsyncIterator[bytes], limit: StoredLimit | None = None
    ) -> tuple[str, int]:
        """(SHA-256, bytes). Nothing is kept where `content` raises. What is there already counts as put now.
        LimitReached where the account has no room for it."""

    def folder(self, account_id: str) -> str:
        """What holds all of the account's contents."""

    async def size(self, folders: Sequence[str]) -> int:
        """Bytes of all files below."""

    def path(self, account_id: str, digest: str) -> str:
        """Where it lies, whether or not it is there."""

    def holds(self, account_id: str, digest: str) -> bool: ...

    async def unnamed(self, named: frozenset[str], before: datetime) -> Sequence[str]:
        """Paths of those that are none of `named` and were put before that moment."""

    async def delete(self, paths: Sequence[str]) -> None: ...
