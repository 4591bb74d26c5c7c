"""What jobs work with: connections, knowledge bases."""

from __future__ import annotations

import asyncio
import builtins
from contextlib import suppress
from typing import Any

from agent.core.naming import plain_name
from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.overreach import not_found
from agent.core.permissions.rules import Act, seen_by
from agent.core.ports import KnowledgeBases, Sources, Store, Vault
from agent.core.wire import ConnectionGrant
from agent.core.world.granting import OF_CONNECTIONS, Granting
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput, NotFound
from shared.ids import NewId
from shared.models import (
    Connection,
    ConnectionInput,
    JobUsers,
    KnowledgeBase,
    KnowledgeBaseInput,
    SearchHit,
    SearchInput,
)


class World:
    def __init__(
        self,
        store: Store,
        vault: Vault,
        sources: Sources,
        bases: KnowledgeBases,
        granting: Granting,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._store = store
        self._access = Access(store)
        self._vault = vault
        self._sources = sources
        self._bases = bases
        self._granting = granting
        self._clock = clock
        self._new_id = new_id
        self._naming = asyncio.Lock()

    async def create_connection(self, caller: Caller, given: ConnectionInput) -> Connection:
        """A password in the URL is moved into a secret named after the connection."""
        caller.require(Scope.ADMIN)
        name = plain_name(given.name)
        kind, url, password = self._sources.split(given.url)
        secret_name = given.secret_name
        await self._check_secret(caller, secret_name)
        connection = Connection(
            id=self._new_id(),
            name=name,
            kind=kind,
            url=url,
            secret_name=secret_name or (_own_secret(name) if password else None),
            account_id=caller.account_id,
            owner_id=caller.user_id,
            visibility=given.visibility,
            created_at=self._clock.now(),
        )
        async with self._naming:
            await self._check_free(connection)
            if password and secret_name is None:
                await self._keep_password(connection, password)
            return await self._store.insert_connection(connection)

    async def _check_secret(self, caller: Caller, name: str | None) -> None:
        try:
            if name is not None:
                await self._vault.get(caller.account_id, name)
        except NotFound as error:
            raise not_found("secretName", name or "", error) from None

    async def _check_free(self, new: Connection) -> None:
        """Before its password is put where another connection has its own."""
        for known in await self._store.list_connections(new.account_id):
            if known.id == new.id:
                continue
            if known.name == new.name:
                raise Conflict(f"there is already a connection with the name '{new.name}'", field="name")
            if known.secret_name == new.secret_name == _own_secret(new.name):
                message = f"the connection '{known.name}' uses the secret '{known.secret_name}', where the password"
                raise Conflict(f"{message} of '{new.name}' would be kept; choose another name", field="name")

    async def list_connections(self, caller: Caller) -> builtins.list[Connection]:
        caller.require(Scope.READ)
        return await self._store.list_connections(caller.account_id, seen_by(caller))

    async def get_connection(self, caller: Caller, key: str) -> Connection:
        return await self._access.connection(caller, key, Act.READ)

    async def users_of_connection(self, caller: Caller, key: str) -> JobUsers:
        """The jobs that fail without it, and the datasets that get no more rows."""
        connection = await self._access.connection(caller, key, Act.READ)
        keys = [connection.name, connection.id]
        return await self._store.job_users(caller.account_id, "connection", keys, seen_by(caller))

    async def delete_connection(self, caller: Caller, key: str) -> None:
        """With the password that came in its URL; a secret that was named for it stays."""
        caller.require(Scope.ADMIN)
        connection = await self._store.get_connection(caller.account_id, key)
        await self._store.delete_connection(caller.account_id, connection.id)
        await self._forget_password(connection)

    async def replace_connection(self, caller: Caller, key: str, given: ConnectionInput) -> Connection:
        """Where it leads, and with what credential: one that is not given stays. What jobs know it by stays while any
        goes by it: its kind, and its name (Conflict)."""
        caller.require(Scope.ADMIN)
        known = await self._store.get_connection(caller.account_id, key)
        name = plain_name(given.name)
        kind, url, password = self._sources.split(given.url)
        if kind != known.kind:
            raise InvalidInput.one("url", f"must lead to {known.kind}, as the connection '{known.name}' does")
        await self._check_secret(caller, given.secret_name)
        async with self._naming:
            if given.secret_name is None and password is None and _has_own_secret(known) and name != known.name:
                password = await self._vault.get(caller.account_id, _own_secret(known.name))  # it goes with the name
            secret_name = given.secret_name or (_own_secret(name) if password else known.secret_name)
            changed = known.model_copy(update={"name": name, "url": url, "secret_name": secret_name})
            return await self._replace(known, changed, None if given.secret_name else password)

    async def _replace(self, known: Connection, changed: Connection, password: str | None) -> Connection:
        await self._check_free(changed)
        if password:
            await self._keep_password(changed, password)
        try:
            stored = await self._store.replace_connection(changed, self._clock.now())
        except BaseException:
            if changed.name != known.name:
                await self._forget_password(changed)
            raise
        if stored.secret_name != known.secret_name:
            await self._forget_password(known)
        return stored

    async def _keep_password(self, connection: Connection, password: str) -> None:
        """As a secret of its own, private: it opens the connection and nothing else."""
        name = _own_secret(connection.name)
        await self._vault.put(connection.account_id, name, password, connection.owner_id, "private")

    async def _forget_password(self, connection: Connection) -> None:
        """The one that came in its URL, if there is one that no other connection uses."""
        if _has_own_secret(connection):
            with suppress(NotFound, Conflict):
                await self._store.delete_secret(connection.account_id, _own_secret(connection.name))

    async def test_connection(self, caller: Caller, key: str) -> builtins.list[str]:
        """The tables that the source shows; Unavailable with the cause."""
        return await self._sources.test(await self._grant(caller, key))

    async def tables(self, caller: Caller, key: str, table: str | None = None) -> builtins.list[dict[str, Any]]:
        return await self._sources.tables(await self._grant(caller, key), table)

    async def create_knowledge_base(self, caller: Caller, given: KnowledgeBaseInput) -> KnowledgeBase:
        """Admin for embedders other than the built-in one: they send texts elsewhere."""
        caller.require(Scope.EDIT)
        if given.embedder != "wordllama":
            caller.require(Scope.ADMIN)
        now = self._clock.now()
        base = KnowledgeBase(
            id=self._new_id(),
            number=0,
            name=plain_name(given.name),
            account_id=caller.account_id,
            owner_id=caller.user_id,
            visibility=given.visibility,
            embedder=given.embedder,
            dimensions=await self._bases.dimensions(given.embedder, caller.account_id),
            created_at=now,
            updated_at=now,
        )
        stored = await self._store.insert_knowledge_base(base)
        try:
            await self._bases.create(stored)
        except BaseException:
            await self._store.delete_knowledge_base(caller.account_id, stored.id)
            raise
        return stored

    async def list_knowledge_bases(self, caller: Caller) -> builtins.list[KnowledgeBase]:
        caller.require(Scope.READ)
        found = await self._store.list_knowledge_bases(caller.account_id, seen_by(caller))
        return await asyncio.gather(*map(self._counted, found))

    async def get_knowledge_base(self, caller: Caller, key: str) -> KnowledgeBase:
        return await self._counted(await self._access.knowledge_base(caller, key, Act.READ))

    async def users_of_knowledge_base(self, caller: Caller, key: str) -> JobUsers:
        """The jobs that fail without it."""
        base = await self._access.knowledge_base(caller, key, Act.READ)
        return await self._store.job_users(caller.account_id, "knowledge_base", [base.name], seen_by(caller))

    async def delete_knowledge_base(self, caller: Caller, key: str) -> None:
        """With all that is in it; Conflict while a run writes to it."""
        await self.discard_knowledge_base(await self._access.knowledge_base(caller, key, Act.DELETE))

    async def discard_knowledge_base(self, base: KnowledgeBase) -> None:
        """Whoever asks. What may refuse comes first: else a base that is gone would leave its files to nobody."""
        await self._bases.delete(base)
        await self._store.delete_knowledge_base(base.account_id, base.id)

    async def search(self, caller: Caller, key: str, query: SearchInput) -> builtins.list[SearchHit]:
        return await self._bases.search(await self._access.knowledge_base(caller, key, Act.READ), query)

    async def _grant(self, caller: Caller, key: str) -> ConnectionGrant:
        connection = await self._access.connection(caller, key, Act.READ)
        return (await self._granting.connection(connection))[0]

    async def _counted(self, base: KnowledgeBase) -> KnowledgeBase:
        rows, generation = await self._bases.count(base)
        return base.model_copy(update={"rows": rows, "generation": generation})


def _own_secret(name: str) -> str:
    """Where the password is kept that came in the URL of the connection of that name."""
    return f"{OF_CONNECTIONS}{name}"


def _has_own_secret(connection: Connection) -> bool:
    return connection.secret_name == _own_secret(connection.name)
