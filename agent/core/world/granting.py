"""From the names in a job to what a run may use: connections with credentials, knowledge bases, secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from agent.core.driving import Needs
from agent.core.permissions.rules import WORDS, Act, Hidden, ResourceKind
from agent.core.ports import KnowledgeBases, Snapshots, Sources, Store, Vault
from agent.core.running.masking import spellings
from agent.core.wire import ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from agent.core.world.storing import Storing
from agent.core.world.using import Owned, Users, Using
from shared.errors import Fault, Forbidden, NotFound
from shared.models import Connection, MailServer

T = TypeVar("T", bound=Owned)


@dataclass(slots=True)
class Grants:
    connections: dict[str, ConnectionGrant] = field(default_factory=dict)
    knowledge_bases: dict[str, KnowledgeBaseGrant] = field(default_factory=dict)
    datasets: dict[str, DatasetGrant] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    mail_server: MailServer | None = None
    mask: set[str] = field(default_factory=set)
    """Every credential in the grants, so that none reaches a log."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, and what has been answered so far."""

    account_id: str
    users: Users
    changed: frozenset[tuple[str, str]]
    grants: Grants = field(default_factory=Grants)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, name: str, code: str, message: str, *, withheld: bool = False) -> None:
        self.faults.append(Fault("data", message, name, code, withheld))


ANYBODY = Users()
OF_CONNECTIONS = "connection-"
"""What the names of secrets begin with that were passwords in the URLs of connections."""


class Granting:
    def __init__(
        self,
        store: Store,
        vault: Vault,
        sources: Sources,
        bases: KnowledgeBases,
        mail_server: MailServer | None = None,
        *,
        snapshots: Snapshots,
        storing: Storing,
        query_timeout: timedelta | None = None,
    ) -> None:
        self._store = store
        self._using = Using(store)
        self._snapshots = snapshots
        self._mail_server = mail_server
        self._vault = vault
        self._sources = sources
        self._bases = bases
        self._storing = storing
        self._query_seconds = query_timeout.total_seconds() if query_timeout else None

    async def grant(self, account_id: str, needs: Needs, users: Users = ANYBODY) -> tuple[Grants, list[Fault]]:
        """What could be resolved, and a fault (`unknown_connection`, `unknown_knowledge_base`, `unknown_dataset`,
        `unknown_secret`, `not_permitted`) for each name that could not."""
        asked = _Asked(account_id, users, needs.changed)
        for name in needs.connections:
            await self._add_connection(asked, name, users)
        for name in needs.knowledge_bases:
            await self._add_knowledge_base(asked, name)
        for name in needs.datasets:
            await self._add_dataset(asked, name)
        for name in needs.secrets:
            await self._add_named_secret(asked, name)
        if needs.mail_server:
            await self._add_mail_server(asked)
        return asked.grants, asked.faults

    async def make_folders(self, grants: Grants) -> None:
        """Of what a run may write to, before it begins. Unavailable if one cannot be made."""
        for base in grants.knowledge_bases.values():
            await self._bases.make_folder(base)
        for dataset in grants.datasets.values():
            await self._snapshots.make_folder(dataset)

    async def connection(self, connection: Connection) -> tuple[ConnectionGrant, str | None]:
        """The connection with its credential, and the credential alone."""
        password = None
        if connection.secret_name:
            password = await self._vault.get(connection.account_id, connection.secret_name)
        url = self._sources.join(connection.url, password)
        grant = ConnectionGrant(
            id=connection.id, name=connection.name, kind=connection.kind, url=url, query_seconds=self._query_seconds
        )
        return grant, password

    async def _add_connection(self, asked: _Asked, name: str, users: Users) -> None:
        store = self._store
        found = await self._found("connection", store.get_connection, store.list_connections, asked, name, users)
        if found is None:
            return
        try:
            grant, password = await self.connection(found)
        except NotFound as error:
            asked.refuse(name, "unknown_secret", f"the connection '{name}' lacks its password: {error.message}")
            return
        asked.grants.connections[name] = grant
        if password:
            asked.grants.mask |= spellings(password, grant.url)

    async def _add_knowledge_base(self, asked: _Asked, name: str) -> None:
        store = self._store
        base = await self._found("knowledge_base", store.get_knowledge_base, store.list_knowledge_bases, asked, name)
        if base is None:
            return
        asked.grants.knowledge_bases[name] = KnowledgeBaseGrant(
            id=base.id,
            name=base.name,
            path=self._bases.grant_path(base),
            embedder=base.embedder,
            dimensions=base.dimensions,
            networks=self._bases.networks(base.embedder),
            rows=await self._storing.row_limit(asked.account_id),
        )
        key = self._bases.embedder_secret(base.embedder)
        if key is not None:
            await self._add_secret(asked, key)

    async def _add_dataset(self, asked: _Asked, name: str) -> None:
        dataset = await self._found("dataset", self._store.get_dataset, self._store.list_datasets, asked, name)
        if dataset is None:
            return
        age = dataset.keep.age
        asked.grants.datasets[name] = DatasetGrant(
            id=dataset.id,
            name=dataset.name,
            path=self._snapshots.path_of(dataset),
            connection=dataset.connection,
            query=dataset.query,
            parameters=dataset.parameters,
            keep_count=dataset.keep.count,
            keep_age=age.total_seconds() if age else None,
            query_seconds=self._query_seconds,
            stored=await self._storing.limit(asked.account_id),
        )
        if dataset.connection is not None and dataset.connection not in asked.grants.connections:
            # Who may use the dataset may have its query run, over its owner's connection, as long as that is one.
            owner = Users(owner_id=dataset.owner_id, owner=f"the owner of the dataset '{dataset.name}'")
            await self._add_connection(asked, dataset.connection, owner)

    async def _add_named_secret(self, asked: _Asked, name: str) -> None:
        """One that a job names itself, to send it where it says. What opens a connection, an embedder or the mail server
        is for that alone: else whoever may have queries run had the password, too."""
        sends_all = await self._using.sees_all(asked.account_id, asked.users)
        opens = not sends_all and name.startswith(OF_CONNECTIONS)  # said of all such names, there or not
        if not opens:
            found = await self._found("secret", self._store.get_secret, self._store.list_secrets, asked, name)
            if found is None:
                return
            opens = not sends_all and await self._is_credential(asked.account_id, name)
        if opens:
            message = "opens what others may use and not read; only administrators name it in a job"
            asked.refuse(name, "not_permitted", f"the secret '{name}' {message}", withheld=True)
        else:
            await self._add_secret(asked, name)

    async def _found(
        self,
        kind: ResourceKind,
        get: Callable[[str, str], Awaitable[T]],
        list_all: Callable[[str, str | None], Awaitable[Sequence[T]]],
        asked: _Asked,
        name: str,
        users: Users | None = None,
    ) -> T | None:
        """What goes by the name, for those who may use it (`users`, where they are not who asks); else a fault is told, and
        what there is for who asks to see."""
        try:
            found = await get(asked.account_id, name)
            await self._using.require(
                found, kind, users or asked.users, Act.EDIT if (kind, name) in asked.changed else Act.USE
            )
        except NotFound as error:
            seen_by = None
            if not await self._using.sees_all(asked.account_id, asked.users):
                seen_by = asked.users.asker_id or asked.users.owner_id
            known = await list_all(asked.account_id, seen_by)
            listed = ", ".join(each.name for each in known) or "none yet"
            message = f"there is no {WORDS[kind]} '{name}'; there are: {listed}"
            asked.refuse(name, f"unknown_{kind}", message, withheld=isinstance(error, Hidden))
            return None
        except Forbidden as error:
            asked.refuse(name, "not_permitted", error.message, withheld=True)
            return None
        return found

    async def _add_mail_server(self, asked: _Asked) -> None:
        server = self._mail_server
        if server is None:
            message = "names no mail server, and the agent's settings have none (`smtp`)"
            asked.faults.append(Fault("data.server", message, None, "no_mail_server"))
            return
        asked.grants.mail_server = server
        if server.secret is not None:
            await self._add_secret(asked, server.secret)

    async def _is_credential(self, account_id: str, name: str) -> bool:
        if self._mail_server is not None and self._mail_server.secret == name:
            return True
        if any(each.secret_name == name for each in await self._store.list_connections(account_id)):
            return True
        bases = await self._store.list_knowledge_bases(account_id)
        return any(self._bases.embedder_secret(each.embedder) == name for each in bases)

    async def _add_secret(self, asked: _Asked, name: str) -> None:
        try:
            value = await self._vault.get(asked.account_id, name)
        except NotFound:
            asked.refuse(name, "unknown_secret", f"there is no secret '{name}'")
            return
        asked.grants.secrets[name] = value
        asked.grants.mask.add(value)
