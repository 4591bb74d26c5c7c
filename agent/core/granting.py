"""From the names in a job to what a run may use: connections with credentials, knowledge bases, secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.core.callers import Scope
from agent.core.driving import Needs
from agent.core.masking import spellings
from agent.core.permissions import RULES, WORDS, Act, ResourceKind, reaches
from agent.core.ports import KnowledgeBases, Snapshots, Sources, Store, Vault
from agent.core.wire import ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from shared.errors import Fault, Forbidden, NotFound
from shared.models import Connection, KnowledgeBase, MailServer
from shared.models.dataset import Dataset
from shared.models.share import AccessLevel


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
class Users:
    """Who must be allowed to use what is named: the user that a run acts as, and the one that names it in a change. None:
    nobody in particular, or who administers the account."""

    owner_id: str | None = None
    asker_id: str | None = None
    owner: str = "the job's owner"
    """Who that is, in words."""


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
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._mail_server = mail_server
        self._vault = vault
        self._sources = sources
        self._bases = bases

    async def grant(self, account_id: str, needs: Needs, users: Users = ANYBODY) -> tuple[Grants, list[Fault]]:
        """What could be resolved, and a fault (`unknown_connection`, `unknown_knowledge_base`, `unknown_dataset`, `unknown_secret`,
        `not_permitted`) for each name that could not."""
        grants, faults = Grants(), list[Fault]()
        for name in needs.connections:
            await self._add_connection(account_id, name, users, grants, faults)
        for name in needs.knowledge_bases:
            await self._add_knowledge_base(account_id, name, users, grants, faults)
        for name in needs.datasets:
            await self._add_dataset(account_id, name, users, grants, faults)
        for name in needs.secrets:
            await self._add_named_secret(account_id, name, users, grants, faults)
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

    async def _add_connection(
        self, account_id: str, name: str, users: Users, grants: Grants, faults: list[Fault]
    ) -> None:
        try:
            found = await self._store.get_connection(account_id, name)
            await self._require(found, "connection", users)
        except NotFound:
            known = _listed(await self._store.list_connections(account_id, users.asker_id))
            message = f"there is no connection '{name}'; there are: {known}"
            faults.append(Fault("data", message, name, "unknown_connection"))
            return
        except Forbidden as error:
            faults.append(Fault("data", error.message, name, "not_permitted"))
            return
        try:
            grant, password = await self.connection(found)
        except NotFound as error:
            faults.append(
                Fault("data", f"the connection '{name}' lacks its password: {error.message}", name, "unknown_secret")
            )
            return
        grants.connections[name] = grant
        if password:
            grants.mask |= spellings(password, grant.url)

    async def _add_knowledge_base(
        self, account_id: str, name: str, users: Users, grants: Grants, faults: list[Fault]
    ) -> None:
        try:
            base = await self._store.get_knowledge_base(account_id, name)
            await self._require(base, "knowledge_base", users)
        except NotFound:
            known = _listed(await self._store.list_knowledge_bases(account_id, users.asker_id))
            message = f"there is no knowledge base '{name}'; there are: {known}"
            faults.append(Fault("data", message, name, "unknown_knowledge_base"))
            return
        except Forbidden as error:
            faults.append(Fault("data", error.message, name, "not_permitted"))
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

    async def _add_dataset(self, account_id: str, name: str, users: Users, grants: Grants, faults: list[Fault]) -> None:
        try:
            dataset = await self._store.get_dataset(account_id, name)
            await self._require(dataset, "dataset", users)
        except NotFound:
            known = _listed(await self._store.list_datasets(account_id, users.asker_id))
            message = f"there is no dataset '{name}'; there are: {known}"
            faults.append(Fault("data", message, name, "unknown_dataset"))
            return
        except Forbidden as error:
            faults.append(Fault("data", error.message, name, "not_permitted"))
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
            # Who may use the dataset may have its query run, over its owner's connection, as long as that is one.
            owner = Users(owner_id=dataset.owner_id, owner=f"the owner of the dataset '{dataset.name}'")
            await self._add_connection(account_id, dataset.connection, owner, grants, faults)

    async def _require(self, found: Connection | KnowledgeBase | Dataset, kind: ResourceKind, users: Users) -> None:
        """NotFound for an asker who may not see it, Forbidden for one who may not use it, or for the owner."""
        if found.visibility == "account":
            return
        what = f"{WORDS[kind]} '{found.name}'"
        level = await self._level(found, kind, users.asker_id)  # by shares: the scope `admin` is no asker at all
        if users.asker_id is not None and level is None:
            raise NotFound(f"there is no {what}")
        if users.asker_id is not None and not reaches(level, Act.USE):
            raise Forbidden(f"to use the {what} it must be shared with you as {RULES[Act.USE].level}")
        owner_id = users.owner_id
        if owner_id is None or reaches(await self._level(found, kind, owner_id), Act.USE):
            return
        if not await self._administers(found.account_id, owner_id):
            raise Forbidden(f"the {what} is private: share it with {users.owner} as {RULES[Act.USE].level}")

    async def _level(
        self, found: Connection | KnowledgeBase | Dataset, kind: ResourceKind, user_id: str | None
    ) -> AccessLevel | None:
        if user_id is None:
            return None
        standing = await self._store.standing(found.account_id, kind, found.id, user_id)
        return standing.level_of(user_id) if standing is not None else None

    async def _administers(self, account_id: str, user_id: str) -> bool:
        """Who does may use all of the account, and so does a run on that user's behalf."""
        member = await self._store.find_standing(user_id, account_id)
        return member is not None and Scope.ADMIN in member.scopes

    async def _add_mail_server(self, account_id: str, grants: Grants, faults: list[Fault]) -> None:
        server = self._mail_server
        if server is None:
            message = "names no mail server, and the agent's settings have none (`smtp`)"
            faults.append(Fault("data.server", message, None, "no_mail_server"))
            return
        grants.mail_server = server
        if server.secret is not None:
            await self._add_secret(account_id, server.secret, grants, faults)

    async def _add_named_secret(
        self, account_id: str, name: str, users: Users, grants: Grants, faults: list[Fault]
    ) -> None:
        """One that a job names itself, to send it where it says. What opens a connection, an embedder or the mail server
        is for that alone: else whoever may have queries run had the password, too."""
        asks = users.asker_id is not None
        may_send_all = not asks and (users.owner_id is None or await self._administers(account_id, users.owner_id))
        if not may_send_all and await self._is_credential(account_id, name):
            message = (
                f"the secret '{name}' opens what others may use and not read; only administrators name it in a job"
            )
            faults.append(Fault("data", message, name, "not_permitted"))
            return
        await self._add_secret(account_id, name, grants, faults)

    async def _is_credential(self, account_id: str, name: str) -> bool:
        if name.startswith(OF_CONNECTIONS) or (self._mail_server is not None and self._mail_server.secret == name):
            return True
        if any(each.secret_name == name for each in await self._store.list_connections(account_id)):
            return True
        bases = await self._store.list_knowledge_bases(account_id)
        return any(self._bases.embedder_secret(each.embedder) == name for each in bases)

    async def _add_secret(self, account_id: str, name: str, grants: Grants, faults: list[Fault]) -> None:
        try:
            value = await self._vault.get(account_id, name)
        except NotFound:
            faults.append(Fault("data", f"there is no secret '{name}'", name, "unknown_secret"))
            return
        grants.secrets[name] = value
        grants.mask.add(value)


def _listed(found: Sequence[Connection] | Sequence[KnowledgeBase] | Sequence[Dataset]) -> str:
    return ", ".join(each.name for each in found) or "none yet"
