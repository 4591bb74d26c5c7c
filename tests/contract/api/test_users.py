"""Users and accounts over the API: who may change whom, and what each sees of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.agent import RunningAgent, running_agent
from tests.harness.people import PASSWORD, add_token, add_user, log_in


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    """Two accounts: `default` with Anna, who administers it, and Bob; `sales` with Carl. Root administers the agent."""
    async with running_agent(tmp_path / "d", agent_admins=["root"]) as running:
        await running.core.gate.accounts.create(running.core.gate.local(), "sales")
        await add_user(running, "anna", role="admin")
        await add_user(running, "root", role="admin")
        await add_user(running, "bob")
        await add_user(running, "carl", account="sales")
        yield running


@pytest.fixture
async def anna(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await add_token(agent, "anna", "read", "edit", "run", "delete", "admin")) as client:
        yield client


@pytest.fixture
async def root(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await add_token(agent, "root", "read", "edit", "run", "delete", "admin")) as client:
        yield client


async def handles(client: httpx.AsyncClient) -> list[str]:
    return sorted(each["handle"] for each in (await client.get("/api/users")).json()["items"])


async def test_an_account_sees_its_own_and_who_administers_the_agent_all(
    anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    assert await handles(anna) == ["anna", "bob", "operator", "root"]
    assert await handles(root) == ["anna", "bob", "carl", "operator", "root"]
    seen = (await anna.get("/api/users/operator")).json()
    assert [each["accountId"] for each in seen["memberships"]] == ["default"]
    assert "passwordHash" not in seen
    assert "argon2" not in str(seen)


async def test_who_administers_an_account_makes_users_and_gives_them_roles(anna: httpx.AsyncClient) -> None:
    made = await anna.post("/api/users", json={"handle": "dora", "password": PASSWORD})
    assert (made.status_code, made.headers["location"]) == (201, f"/api/users/{made.json()['id']}")
    assert made.json()["memberships"] == [
        {"accountId": "default", "role": "member", "scopes": ["delete", "edit", "read", "run"], "disabledAt": None}
    ]
    raised = (await anna.put("/api/users/DORA/membership", json={"role": "admin"})).json()
    assert raised["memberships"][0]["scopes"] == ["admin", "delete", "edit", "read", "run"]
    for again in ("dora", "Dora"):
        assert (await anna.post("/api/users", json={"handle": again})).status_code == 409


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"handle": ""}, "handle"),
    ({"handle": "a b"}, "handle"),
    ({"handle": "operator:x"}, "handle"),
    ({"handle": "../x"}, "handle"),
    ({"handle": "x" * 101}, "handle"),
    ({"handle": "018f2f7e-7b7a-7c3e-8f6e-3b8f6a1d2c3e"}, "handle"),
    ({"handle": "dora", "password": "short"}, "password"),
    ({"handle": "dora", "password": ""}, "password"),
    ({"handle": "dora-the-explorer", "password": "Dora-The-Explorer"}, "password"),
    ({"handle": "dora", "password": "x" * 1025}, "password"),
    ({"handle": "dora", "password": "x" * 3000}, "password"),
    ({"handle": "dora", "role": "owner"}, "role"),
    ({"handle": "dora", "rights": "all"}, "rights"),
]


async def test_what_is_wrong_is_named_and_no_password_repeated(anna: httpx.AsyncClient) -> None:
    before = await handles(anna)
    for given, field in WRONG:
        refused = await anna.post("/api/users", json=given)
        assert (refused.status_code, refused.json()["error"]["faults"][0]["field"]) == (400, field), given
        assert not given.get("password") or given["password"] not in refused.text
    assert await handles(anna) == before


async def test_nobody_gives_what_it_does_not_have(anna: httpx.AsyncClient, root: httpx.AsyncClient) -> None:
    for client in (anna, root):
        for act in (
            client.post("/api/users", json={"handle": "dora", "code": True}),
            client.put("/api/users/bob/membership", json={"role": "member", "code": True}),
        ):
            refused = await act
            assert (refused.status_code, "'code'" in refused.json()["error"]["message"]) == (403, True)


async def test_other_accounts_and_their_users_are_not_there(anna: httpx.AsyncClient) -> None:
    for method, path, body in (
        ("GET", "/api/users/carl", None),
        ("PUT", "/api/users/carl/password", {"password": PASSWORD}),
        ("PUT", "/api/users/carl/membership", {"role": "member"}),
        ("POST", "/api/users/carl/_disable", {}),
        ("POST", "/api/users/bob/_disable", {"account": "sales"}),
        ("PUT", "/api/users/bob/membership", {"account": "sales"}),
        ("POST", "/api/users", {"handle": "dora", "account": "sales"}),
    ):
        assert (await anna.request(method, path, json=body)).status_code == 404, (method, path)
    for method, path in (
        ("GET", "/api/accounts"),
        ("GET", "/api/accounts/default"),
        ("POST", "/api/accounts/default/_disable"),
        ("POST", "/api/accounts/sales/_enable"),
    ):
        assert (await anna.request(method, path)).status_code == 403, (method, path)
    assert (await anna.post("/api/accounts", json={"id": "mine"})).status_code == 403


async def test_who_may_do_more_is_not_changed_by_who_may_do_less(agent: RunningAgent, anna: httpx.AsyncClient) -> None:
    """Whoever sets a password could log in as that user from then on."""
    await add_user(agent, "coder", code=True)
    for who in ("operator", "root", "coder"):
        for method, path, body in (
            ("PUT", "password", {"password": "another password"}),
            ("PUT", "membership", {"role": "member"}),
            ("POST", "_disable", {}),
        ):
            refused = await anna.request(method, f"/api/users/{who}/{path}", json=body)
            assert refused.status_code == 403, (who, path)
    assert (await anna.post("/api/users", json={"handle": "ROOT"})).status_code in {403, 409}
    assert (await anna.put("/api/users/bob/password", json={"password": "another password"})).status_code == 204


async def test_the_password_of_who_belongs_to_others_too_is_not_one_accounts(
    anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    joined = await root.put("/api/users/bob/membership", json={"account": "sales"})
    assert [each["accountId"] for each in joined.json()["memberships"]] == ["default", "sales"]
    refused = await anna.put("/api/users/bob/password", json={"password": "another password"})
    assert (refused.status_code, "other accounts" in refused.json()["error"]["message"]) == (403, True)
    assert (await root.put("/api/users/bob/password", json={"password": "another password"})).status_code == 204


async def test_an_accounts_administrator_disables_in_the_account_and_the_agents_everywhere(
    agent: RunningAgent, anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    await root.put("/api/users/bob/membership", json={"account": "sales"})
    here, there = await add_token(agent, "bob", "read"), await add_token(agent, "bob", "read", account="sales")

    async def open_to() -> list[int]:
        found = []
        for token in (here, there):
            async with agent.tcp(token) as bob:
                found.append((await bob.get("/api/auth/me")).status_code)
        return found

    assert await open_to() == [200, 200]
    assert (await anna.post("/api/users/bob/_disable")).status_code == 200
    assert await open_to() == [401, 200]
    await anna.post("/api/users/bob/_enable")
    await root.post("/api/users/bob/_disable")
    assert await open_to() == [401, 401]
    await root.post("/api/users/bob/_enable")
    await root.post("/api/users/bob/_disable", json={"account": "sales"})
    assert await open_to() == [200, 401]


async def test_nobody_becomes_an_administrator_of_the_agent_by_making_its_token(
    anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    for who in ("root", "operator"):
        given = {"name": "theirs", "user": who, "scopes": ["read", "admin"]}
        refused = await anna.post("/api/tokens", json=given)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden"), who
        assert (await root.post("/api/tokens", json=given)).status_code == 201
    assert (
        await anna.post("/api/tokens", json={"name": "bob's", "user": "bob", "scopes": ["read"]})
    ).status_code == 201


async def test_the_agents_own_user_and_account_stay(root: httpx.AsyncClient) -> None:
    assert (await root.post("/api/users/operator/_disable")).status_code == 409
    assert (await root.put("/api/users/operator/membership", json={"role": "member"})).status_code == 409
    assert (await root.post("/api/accounts/default/_disable")).status_code == 409


async def test_who_administers_the_agent_does_so_with_the_scope_alone(agent: RunningAgent) -> None:
    async with agent.tcp(await add_token(agent, "root", "read")) as client:
        assert (await client.get("/api/accounts")).status_code == 403
        assert (await client.get("/api/users/carl")).status_code == 403
        given = {"name": "theirs", "scopes": ["read"], "account": "sales"}
        assert (await client.post("/api/tokens", json=given)).status_code == 404


async def test_accounts_are_made_listed_disabled_and_enabled(agent: RunningAgent, root: httpx.AsyncClient) -> None:
    made = await root.post("/api/accounts", json={"id": "ops"})
    assert (made.status_code, made.json()["users"]) == (201, 1)
    assert (await root.post("/api/accounts", json={"id": "ops"})).status_code == 409
    assert (await root.post("/api/accounts", json={"id": "o p s"})).status_code == 400
    assert (await root.get("/api/accounts/nowhere")).status_code == 404
    assert [each["id"] for each in (await root.get("/api/accounts")).json()["items"]] == ["default", "ops", "sales"]
    async with agent.tcp() as carl:
        assert (await log_in(carl, "carl")).status_code == 200
        assert (await root.post("/api/accounts/sales/_disable")).json()["disabledAt"] == "2026-03-02T12:00:00Z"
        assert (await carl.get("/api/auth/me")).status_code == 401
        assert (await log_in(carl, "carl")).status_code == 401
        assert (await root.post("/api/accounts/sales/_enable")).json()["disabledAt"] is None
        assert (await log_in(carl, "carl")).status_code == 200
