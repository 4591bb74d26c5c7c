"""Knowledge bases, sources, secrets, drivers."""

from __future__ import annotations

from typing import Any, Protocol

from agent.core.driving import Manifest
from agent.core.wire import ConnectionGrant, KnowledgeBaseGrant
from shared.models import KeyRotation, KnowledgeBase, SearchHit, SearchInput
from shared.models.share import Visibility


class KnowledgeBases(Protocol):
    """The searchable side of knowledge bases; writing happens in workers."""

    async def dimensions(self, embedder: str, account_id: str) -> int:
        """How long that embedder's vectors are. InvalidInput on `embedder`, naming those that exist."""

    def embedder_secret(self, embedder: str) -> str | None:
        """The name of the secret that the embedder's endpoint needs."""

    def networks(self, embedder: str) -> list[str]:
        """The private ones (CIDR) in which the embedder may be reached."""

    async def create(self, base: KnowledgeBase) -> None: ...

    async def search(self, base: KnowledgeBase, query: SearchInput) -> list[SearchHit]: ...

    async def count(self, base: KnowledgeBase) -> tuple[int, int]:
        """(rows, generation)."""

    async def delete(self, base: KnowledgeBase) -> None:
        """All that is in it. Conflict while a run writes to it."""

    def grant_path(self, base: KnowledgeBase) -> str: ...

    async def make_folder(self, grant: KnowledgeBaseGrant) -> None:
        """For who is about to write: what is not there later was deleted meanwhile. Unavailable if it cannot be made."""

    def folder(self, account_id: str) -> str:
        """What holds all of the account's knowledge bases."""

    async def rows(self, account_id: str) -> int:
        """In all of them together; of what is made anew and what it replaces, the larger counts."""


class Sources(Protocol):
    """Data sources, looked at from the agent: everything that blocks happens in a thread."""

    def split(self, url: str) -> tuple[str, str, str | None]:
        """(kind, URL without password, password). InvalidInput on `url`."""

    def join(self, url: str, password: str | None) -> str: ...

    async def test(self, grant: ConnectionGrant) -> list[str]:
        """Connect and name the tables. Unavailable with the cause, never with a credential."""

    async def tables(self, grant: ConnectionGrant, table: str | None) -> list[dict[str, Any]]:
        """`{"name", "columns": [{"name", "type", "primaryKey"}]}`; one table's with columns, all without."""


class Vault(Protocol):
    """Secrets, encrypted at rest."""

    async def put(
        self,
        account_id: str,
        name: str,
        value: str,
        owner_id: str | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        """As `SecretStore.put_secret` has it."""

    async def get(self, account_id: str, name: str) -> str:
        """NotFound."""

    async def rotate(self) -> KeyRotation:
        """Put all secrets, of all accounts, under a new key."""


class Drivers(Protocol):
    """The drivers that are there, by type; known without importing their code."""

    def get(self, type_: str) -> Manifest:
        """InvalidInput on `type`, naming those that exist."""

    def find(self, type_: str) -> Manifest | None:
        """None if it is not there, or not any more."""

    def list(self) -> list[Manifest]: ...
