"""Secrets: set and removed by administrators, used by whom they are shared with. A value goes in and never comes out."""

from __future__ import annotations

import builtins

from agent.core.identity.people import Administration
from agent.core.naming import plain_name
from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Act, seen_by
from agent.core.ports import Store, Vault
from shared.errors import InvalidInput
from shared.models import JobUsers, KeyRotation, Secret, SecretInput


class Secrets:
    def __init__(self, store: Store, vault: Vault, admins: Administration) -> None:
        self._store = store
        self._access = Access(store)
        self._vault = vault
        self._admins = admins

    async def put(self, caller: Caller, name: str, given: SecretInput) -> None:
        """A new one is the caller's, and the account's to use unless it is private; one that is there keeps its owner."""
        caller.require(Scope.ADMIN)
        if not given.value:
            raise InvalidInput.one("value", "a secret cannot be empty")
        await self._vault.put(caller.account_id, plain_name(name), given.value, caller.user_id, given.visibility)

    async def rotate_key(self, caller: Caller) -> KeyRotation:
        """Of all accounts: for the agent's administrators."""
        self._admins.require(caller)
        return await self._vault.rotate()

    async def list(self, caller: Caller) -> builtins.list[Secret]:
        """Those that the caller may know of, by name: told to who may name them in a job."""
        caller.require(Scope.EDIT)
        return await self._store.list_secrets(caller.account_id, seen_by(caller))

    async def get(self, caller: Caller, name: str) -> Secret:
        return await self._access.secret(caller, name, Act.READ)

    async def users(self, caller: Caller, name: str) -> JobUsers:
        """The jobs that fail without it."""
        secret = await self._access.secret(caller, name, Act.READ)
        return await self._store.job_users(caller.account_id, "secret", [secret.name], seen_by(caller))

    async def delete(self, caller: Caller, name: str) -> None:
        """Conflict while a connection uses it. Jobs that name it fail from then on."""
        caller.require(Scope.ADMIN)
        await self._store.delete_secret(caller.account_id, name)
