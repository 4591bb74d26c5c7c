"""Secrets, sealed, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.records.secrets import Resealed, SealedSecret
from agent.store.verbs.base import Verbs
from agent.store.world import secrets
from shared.models import Secret
from shared.models.share import Visibility


class SecretVerbs(Verbs):
    async def put_secret(
        self,
        account_id: str,
        name: str,
        ciphertext: bytes,
        now: datetime,
        owner_id: str | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        await self._write(secrets.put, account_id, name, ciphertext, now, owner_id, visibility)

    async def sealed_secrets(self) -> list[SealedSecret]:
        return await self._read(secrets.sealed)

    async def reseal_secrets(self, changed: Sequence[Resealed]) -> None:
        await self._write(secrets.reseal, changed)

    async def secret_ciphertext(self, account_id: str, name: str) -> bytes:
        return await self._read(secrets.ciphertext_of, account_id, name)

    async def get_secret(self, account_id: str, name: str) -> Secret:
        return await self._read(secrets.find, account_id, name)

    async def list_secrets(self, account_id: str, seen_by: str | None = None) -> list[Secret]:
        return await self._read(secrets.list_all, account_id, seen_by)

    async def delete_secret(self, account_id: str, name: str) -> None:
        await self._write(secrets.delete, account_id, name, self._clock.now())
