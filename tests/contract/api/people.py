"""Users of an agent's account, each with a token, and a second account beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from shared.models import Job, JobInput, TokenInput
from tests.harness.agent import RunningAgent

PASSWORD = "correct horse battery staple"
EVERYTHING = ("read", "edit", "run", "delete", "code")


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    handle: str
    token: str

    def client(self, agent: RunningAgent) -> httpx.AsyncClient:
        return agent.tcp(self.token)


class People:
    """`make`: a user of the account, with a token that has these scopes."""

    def __init__(self, agent: RunningAgent) -> None:
        self.agent = agent

    async def make(
        self,
        handle: str,
        *scopes: str,
        role: str = "member",
        account: str | None = None,
        password: str | None = None,
    ) -> Person:
        given = {"handle": handle, "role": role, "code": True, "account": account, "password": password}
        async with self.agent.local() as local:
            made = await local.post(
                "/api/users", json={name: value for name, value in given.items() if value is not None}
            )
        assert made.status_code == 201, made.text
        return await self.known(handle, made.json()["id"], *scopes, account=account)

    async def known(self, handle: str, user_id: str, *scopes: str, account: str | None = None) -> Person:
        wanted = TokenInput(name=f"{handle}'s", scopes=list(scopes or EVERYTHING), user=handle, account=account)
        token = await self.agent.core.gate.tokens.create(self.agent.core.gate.local(), wanted)
        return Person(user_id, handle, token.token)


async def a_job(agent: RunningAgent, owner: Person, name: str = "Orders", **fields: Any) -> Job:
    given = {"name": name, "type": "api-call", "data": {"url": "http://example.com/"}, **fields}
    async with owner.client(agent) as client:
        made = await client.post("/api/jobs", json=given)
    assert made.status_code == 201, made.text
    return Job.model_validate(made.json())


def definition(name: str = "Orders", **fields: Any) -> dict[str, Any]:
    given = JobInput.model_validate(
        {"name": name, "type": "api-call", "data": {"url": "http://example.com/"}, **fields}
    )
    return given.model_dump(mode="json", by_alias=True)


async def share(agent: RunningAgent, owner: Person, path: str, principal: str, level: str) -> httpx.Response:
    async with owner.client(agent) as client:
        return await client.post(f"{path}/shares", json={"principalId": principal, "accessLevel": level})
