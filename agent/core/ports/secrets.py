"""Secrets, sealed by the vault, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent.core.records.secrets import Resealed, SealedSecret
from shared.models import Secret
from shared.models.share import Visibility


class SecretStore(Protocol):
    async def put_secret(
        self,
        account_id: str,
        name: str,
        ciphertext: bytes,
        now: datetime,
        owner_id: str | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        """`owner_id` owns it if it is new; `visibility` None leaves it as it is (a new one: `account`)."""

    async def sealed_secrets(self) -> list[SealedSecret]:
        """Of every account."""

    async def reseal_secrets(self, changed: Sequence[Resealed]) -> None:
        """All in one transaction; one that is not any more what it was stays as it is."""

    async def secret_ciphertext(self, account_id: str, name: str) -> bytes:
        """NotFound."""

    async def get_secret(self, account_id: str, name: str) -> Secret:
        """All but its value. NotFound."""

    async def list_secrets(self, account_id: str, seen_by: str | None = None) -> list[Secret]: ...

    async def delete_secret(self, account_id: str, name: str) -> None:
        """Conflict while a connection uses it."""
