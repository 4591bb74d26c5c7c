"""From the names in a job to what a run may use: connections with credentials, knowledge bases, secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.core.driving import Needs
from agent.core.masking import spellings
from agent.core.ports import KnowledgeBases, Snapshots, Sources, Store, Vault
from agent.core.wire import ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from shared.errors import Fault, NotFound
from shared.models import Connection, MailServer


@dataclass(slots=True)
class Grants:
    connections: dict[str, ConnectionGrant] = field(default_factory=dict)
    knowledge_bases: dict[str, KnowledgeBaseGrant] = field(default_factory=dict)
    datasets: dict[str, DatasetGrant] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    mail_server: MailServer | None = None
    mask: set[str] = field(default_factory=set)
    """Every credential in the grants, so that none reaches a log."""


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
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._mail_server = mail_server
        self._vault = vault
        self._sources = sources
        self._bases = bases

    async def grant(self, account_id: str, needs: Needs) -> tuple[Grants, list[Fault]]:
        """What could be resolved, and a fault (`unknown_connection`, `unknown_knowledge_base`, `unknown_dataset`, `unknown_secret`)
        for each name that could not."""
        grants, faults = Grants(), list[Fault]()
        for name in needs.connections:
            await self._add_connection(account_id, name, grants, faults)
        for name in needs.knowledge_bases:
            await self._add_knowledge_base(account_id, name, grants, faults)
        for name in needs.datasets:
            await self._add_dataset(account_id, name, grants, faults)
        for name in needs.secrets:
            await self._add_secret(account_id, name, grants, faults)
        if needs.mail_server:
            await self._add_mail_server(account_id, grants, faults)
        return grants, faults

    async def connection(self, connection: Connection) -> tuple[ConnectionGrant, str | None]:
        """The connection with its credential, and the credential alone."""
        password = None
        if connection.secret_name:
            password = await self._vault.get(connection.account_id, connection.secret_name)
        url = self._sources.join(connection.url, password)
        return ConnectionGrant(id=connection.id, name=connection.name, kind=connection.kind, url=url), password

    async def _add_connection(self, account_id: str, name: str, grants: Grants, faults: list[Fault]) -> None:
        try:
            grant, password = await self.connection(await self._store.get_connection(account_id, name))
        except NotFound as error:
            known = ", ".join(found.name for found in await self._store.list_connections(account_id)) or "none yet"
            faults.append(Fault("data", f"{error.message}; there are: {known}", name, "unknown_connection"))
            return
        grants.connections[name] = grant
        if password:
            grants.mask |= spellings(password, grant.url)

    async def _add_knowledge_base(self, account_id: str, name: str, grants: Grants, faults: list[Fault]) -> None:
        try:
            base = await self._store.get_knowledge_base(account_id, name)
        except NotFound:
            known = ", ".join(found.name for found in await self._store.list_knowledge_bases(account_id)) or "none yet"
            message = f"there is no knowledge base '{name}'; there are: {known}"
            faults.append(Fault("data", message, name, "unknown_knowledge_base"))
            return
        grants.knowledge_bases[name] = KnowledgeBaseGrant(
            id=base.id,
            name=base.name,
            path=self._bases.grant_path(base),
            embedder=base.embedder,
            dimensions=base.dimensions,
        )
        key = self._bases.embedder_secret(base.embedder)
        if key is not None:
            await self._add_secret(account_id, key, grants, faults)

    async def _add_dataset(self, account_id: str, name: str, grants: Grants, faults: list[Fault]) -> None:
        try:
            dataset = await self._store.get_dataset(account_id, name)
        except NotFound:
            known = ", ".join(found.name for found in await self._store.list_datasets(account_id)) or "none yet"
            message = f"there is no dataset '{name}'; there are: {known}"
            faults.append(Fault("data", message, name, "unknown_dataset"))
            return
        age = dataset.keep.age
        grants.datasets[name] = DatasetGrant(
            id=dataset.id,
            name=dataset.name,
            path=self._snapshots.path_of(dataset),
            connection=dataset.connection,
            query=dataset.query,
            parameters=dataset.parameters,
            keep_count=dataset.keep.count,
            keep_age=age.total_seconds() if age else None,
        )
        if dataset.connection is not None and dataset.connection not in grants.connections:
            await self._add_connection(account_id, dataset.connection, grants, faults)

    async def _add_mail_server(self, account_id: str, grants: Grants, faults: list[Fault]) -> None:
        server = self._mail_server
        if server is None:
            message = "names no mail server, and the agent's settings have none (`smtp`)"
            faults.append(Fault("data.server", message, None, "no_mail_server"))
            return
        grants.mail_server = server
        if server.secret is not None:
            await self._add_secret(account_id, server.secret, grants, faults)

    async def _add_secret(self, account_id: str, name: str, grants: Grants, faults: list[Fault]) -> None:
        try:
            value = await self._vault.get(account_id, name)
        except NotFound:
            faults.append(Fault("data", f"there is no secret '{name}'", name, "unknown_secret"))
            return
        grants.secrets[name] = value
        grants.mask.add(value)
