"""Users of an agent, made and logged in as the API does it."""

from __future__ import annotations

from typing import Any

import httpx

from shared.models import TokenInput, User, UserInput
from tests.harness.agent import RunningAgent

PASSWORD = "correct horse battery"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a request that the agent's own page made."""


async def add_user(agent: RunningAgent, handle: str = "bob", **fields: Any) -> User:
    given = {"handle": handle, "password": PASSWORD} | fields
    gate = agent.core.gate
    return await gate.users.create(gate.local(), UserInput.model_validate(given))  # type: ignore[no-any-return]


async def add_token(agent: RunningAgent, handle: str, *scopes: str, **fields: Any) -> str:
    given = TokenInput(name="test", scopes=list(scopes), user=handle, **fields)
    gate = agent.core.gate
    return (await gate.tokens.create(gate.local(), given)).token  # type: ignore[no-any-return]


async def log_in(
    client: httpx.AsyncClient, handle: str = "bob", password: str = PASSWORD, **fields: Any
) -> httpx.Response:
    return await client.post("/api/auth/login", json={"username": handle, "password": password, **fields})
