"""The routes of everything that jobs and runs live among."""

from __future__ import annotations

from console.client.answers import AgentInfo, ConnectionTest, Items, Page, Table
from console.client.session import Session, segment
from shared.models import (
    Connection,
    ConnectionInput,
    Fire,
    JobUsers,
    KnowledgeBase,
    KnowledgeBaseInput,
    Me,
    SearchHit,
    SearchInput,
    Worker,
)


class World:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def agent(self) -> AgentInfo:
        return await self._session.fetch(AgentInfo, "GET", "/agent")

    async def me(self) -> Me:
        return await self._session.fetch(Me, "GET", "/me")

    async def workers(self) -> list[Worker]:
        return (await self._session.fetch(Items[Worker], "GET", "/workers")).items

    async def fires(
        self, *, job_id: str | None = None, outcome: str | None = None, before: int | None = None, limit: int = 50
    ) -> Page[Fire]:
        """The ledger, newest first."""
        params = {"jobId": job_id, "outcome": outcome, "before": before, "limit": limit}
        return await self._session.fetch(Page[Fire], "GET", "/fires", params=params)

    async def connections(self) -> list[Connection]:
        return (await self._session.fetch(Items[Connection], "GET", "/connections")).items

    async def add_connection(self, connection: ConnectionInput) -> Connection:
        return await self._session.fetch(Connection, "POST", "/connections", body=connection)

    async def users_of_connection(self, connection_id: str) -> JobUsers:
        return await self._session.fetch(JobUsers, "GET", f"{_connection(connection_id)}/jobs")

    async def delete_connection(self, connection_id: str) -> None:
        await self._session.send("DELETE", _connection(connection_id))

    async def test_connection(self, connection_id: str) -> ConnectionTest:
        """Whether it answers, and which tables it shows; may take as long as the source does."""
        return await self._session.fetch(ConnectionTest, "POST", f"{_connection(connection_id)}/_test", patience=20)

    async def tables(self, connection_id: str, table: str | None = None) -> list[Table]:
        path, params = f"{_connection(connection_id)}/tables", {"table": table}
        return (await self._session.fetch(Items[Table], "GET", path, params=params, patience=20)).items

    async def knowledge_bases(self) -> list[KnowledgeBase]:
        return (await self._session.fetch(Items[KnowledgeBase], "GET", "/knowledge-bases")).items

    async def create_knowledge_base(self, base: KnowledgeBaseInput) -> KnowledgeBase:
        return await self._session.fetch(KnowledgeBase, "POST", "/knowledge-bases", body=base)

    async def users_of_knowledge_base(self, base_id: str) -> JobUsers:
        return await self._session.fetch(JobUsers, "GET", f"{_base(base_id)}/jobs")

    async def delete_knowledge_base(self, base_id: str) -> None:
        await self._session.send("DELETE", _base(base_id))

    async def search(self, base_id: str, query: SearchInput) -> list[SearchHit]:
        path = f"{_base(base_id)}/_search"
        return (await self._session.fetch(Items[SearchHit], "POST", path, body=query, patience=20)).items


def _connection(key: str) -> str:
    return f"/connections/{segment('connection', key)}"


def _base(key: str) -> str:
    return f"/knowledge-bases/{segment('knowledge base', key)}"
