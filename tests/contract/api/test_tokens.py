"""Tokens over the API: for whom, with which scopes, until when; and that nothing keeps one alive that must not be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource

from agent.core.wire import WireLine
from shared.clock import ManualClock
from shared.models import KnowledgeBaseInput, MembershipInput
from tests.contract.api.runs_made import RunMaker
from tests.harness.agent import RunningAgent, running_agent
from tests.harness.people import OWN_PAGE, add_token, add_user, log_in
from tests.harness.telling import PATIENCE

Act = Callable[[RunningAgent, Any], Awaitable[object]]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    """With Bob, a member, and Anna, who administers the account; neither has `code`."""
    async with running_agent(tmp_path / "d") as running:
        await add_user(running, "bob")
        await add_user(running, "anna", role="admin")
        yield running


async def make(client: httpx.AsyncClient, *scopes: str, **fields: Any) -> httpx.Response:
    return await client.post("/api/tokens", json={"name": "ci", "scopes": list(scopes), **fields})


async def scopes_of(agent: RunningAgent, token: str) -> list[str]:
    async with agent.tcp(token) as client:
        return (await client.get("/api/auth/me")).json()["scopes"]  # type: ignore[no-any-return]


async def test_anybody_makes_tokens_for_oneself_with_what_one_has(agent: RunningAgent) -> None:
    async with agent.tcp(await add_token(agent, "bob", "read", "run")) as bob:
        made = await make(bob, "read")
        assert (made.status_code, made.json()["info"]["handle"]) == (201, "bob")
        assert await scopes_of(agent, made.json()["token"]) == ["read"]
        for more in ("edit", "admin", "code"):
            refused = await make(bob, "read", more)
            assert (refused.status_code, more in refused.json()["error"]["message"]) == (403, True)
        assert (await make(bob, "read", user="anna")).status_code == 403
        assert (await make(bob, "read", account="other")).status_code == 404
        listed = (await bob.get("/api/tokens")).json()["items"]
        assert {each["handle"] for each in listed} == {"bob"}
        assert all("hash" not in each and "token" not in each for each in listed)


async def test_who_administers_makes_them_for_others_with_what_both_have(agent: RunningAgent) -> None:
    async with agent.tcp(await add_token(agent, "anna", "read", "admin")) as anna:
        assert (await make(anna, "read", user="bob")).status_code == 201
        for scope, why in (("run", "the caller"), ("admin", "'bob'"), ("code", "the caller")):
            refused = await make(anna, scope, user="bob")
            assert (refused.status_code, why in refused.json()["error"]["message"]) == (403, True), scope
        assert (await make(anna, "read", user="nobody")).status_code == 404
        assert {each["handle"] for each in (await anna.get("/api/tokens")).json()["items"]} == {"anna", "bob"}


async def test_one_revokes_what_one_can_list(agent: RunningAgent) -> None:
    bobs, annas = await add_token(agent, "bob", "read"), await add_token(agent, "anna", "read", "admin")
    async with agent.tcp(bobs) as bob, agent.tcp(annas) as anna:
        mine = (await anna.get("/api/auth/me")).json()["tokenId"]
        assert (await bob.delete(f"/api/tokens/{mine}")).status_code == 404
        theirs = (await bob.get("/api/auth/me")).json()["tokenId"]
        assert (await anna.delete(f"/api/tokens/{theirs}")).status_code == 204
        assert (await bob.get("/api/auth/me")).status_code == 401
        assert (await anna.delete(f"/api/tokens/{mine}")).status_code == 204
        assert (await anna.get("/api/auth/me")).status_code == 401


async def test_one_is_revoked_by_a_name_that_it_alone_has(agent: RunningAgent) -> None:
    bobs, annas = await add_token(agent, "bob", "read"), await add_token(agent, "anna", "read", "admin")
    async with agent.tcp(bobs) as bob, agent.tcp(annas) as anna:
        first = (await make(bob, "read", name="night shift")).json()["info"]["id"]
        assert (await make(anna, "read", name="night shift")).status_code == 201
        several = await anna.delete("/api/tokens/night%20shift")
        assert (several.status_code, first in several.json()["error"]["message"]) == (409, True)
        assert (await bob.delete("/api/tokens/night%20shift")).status_code == 204  # of his there is one
        assert (await bob.delete("/api/tokens/night%20shift")).status_code == 404  # and it opens nothing any more
        assert (await anna.delete("/api/tokens/night%20shift")).status_code == 204
        assert (await anna.delete("/api/tokens/none")).status_code == 404
        living = [each for each in (await anna.get("/api/tokens")).json()["items"] if each["name"] == "night shift"]
        assert all(each["revokedAt"] for each in living)
        told = (await anna.get("/api/audit", params={"act": "revoke_token", "outcome": "done"})).json()["items"]
        assert [each["subjectName"] for each in told] == ["night shift"] * 2


async def test_tokens_end_when_they_were_to(agent: RunningAgent) -> None:
    async with agent.local() as local:
        for text in ("1 day", "2026-03-03T12:00:00Z", "2026-03-03T13:00:00+01:00", "2026-03-03T12:00:00"):
            made = (await make(local, "read", expires=text)).json()
            assert made["info"]["expiresAt"] == "2026-03-03T12:00:00Z"
    assert isinstance(agent.clock, ManualClock)
    async with agent.tcp(made["token"]) as client:
        agent.clock.advance(timedelta(days=1) - timedelta(microseconds=1))
        assert (await client.get("/api/auth/me")).status_code == 200
        agent.clock.advance(timedelta(microseconds=1))
        refused = await client.get("/api/auth/me")
        assert (refused.status_code, "expired" in refused.json()["error"]["message"]) == (401, True)


async def test_ends_that_are_none_are_refused_by_name(agent: RunningAgent) -> None:
    async with agent.local() as local:
        for text in ("", "tomorrow", "0 s", "-1 day", "2026-03-02T12:00:00Z", "2020-01-01", "99999 years"):
            refused = await make(local, "read", expires=text)
            assert (refused.status_code, refused.json()["error"]["faults"][0]["field"]) == (400, "expires"), text


async def test_what_a_token_makes_does_not_outlive_it(agent: RunningAgent) -> None:
    async with agent.tcp(await add_token(agent, "bob", "read", expires="1 hour")) as bob:
        assert (await make(bob, "read")).json()["info"]["expiresAt"] == "2026-03-02T13:00:00Z"
        assert (await make(bob, "read", expires="10 minutes")).json()["info"]["expiresAt"] == "2026-03-02T12:10:00Z"
        assert (await make(bob, "read", expires="2 hours")).status_code == 400


async def _revoked(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    token_id = (await client.get("/api/auth/me")).json()["tokenId"]
    await agent.core.gate.tokens.revoke(agent.core.gate.local(), token_id)


async def _disabled(agent: RunningAgent, _: httpx.AsyncClient) -> None:
    await agent.core.gate.users.disable(agent.core.gate.local(), "bob", None)


async def _disabled_there(agent: RunningAgent, _: httpx.AsyncClient) -> None:
    await agent.core.gate.users.disable(agent.core.gate.local(), "bob", "default")


async def stir(agent: RunningAgent, name: str) -> None:
    """Let something happen that everybody in the account hears of."""
    await agent.core.world.create_knowledge_base(agent.core.gate.local(), KnowledgeBaseInput(name=name))


@asynccontextmanager
async def followed(agent: RunningAgent, client: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[str]]:
    """The kinds of all events from now on, until the agent ends the stream."""
    position = {"after": await agent.core.store.last_event_id()}
    async with asyncio.timeout(PATIENCE), client.stream("GET", "/api/events", params=position) as stream:
        yield (event.event async for event in EventSource(stream).aiter_sse() if event.event != "message")


@pytest.mark.parametrize("act", [_revoked, _disabled, _disabled_there])
async def test_what_is_taken_away_is_gone_at_once_also_from_streams_that_are_open(
    agent: RunningAgent, act: Act
) -> None:
    async with agent.tcp(await add_token(agent, "bob", "read")) as bob:
        assert (await bob.get("/api/auth/me")).status_code == 200
        async with followed(agent, bob) as events:
            await stir(agent, "first")
            assert await anext(events) == "knowledge_base.changed"
            await act(agent, bob)
            assert [event async for event in events] == []
        assert (await bob.get("/api/auth/me")).status_code == 401


async def test_a_stream_that_goes_on_is_no_act_of_its_own(agent: RunningAgent) -> None:
    assert isinstance(agent.clock, ManualClock)
    async with agent.tcp(await add_token(agent, "bob", "read")) as bob, agent.local() as local:
        async with followed(agent, bob) as events:
            for name in ("first", "second"):
                agent.clock.advance(timedelta(minutes=2))
                await add_user(agent, name)
                await stir(agent, name)
                assert await anext(events) == "knowledge_base.changed"
        recorded = (await local.get("/api/audit")).json()["items"]
        assert [each["act"] for each in recorded if each["handle"] == "bob"] == []
        [token] = [each for each in (await local.get("/api/tokens")).json()["items"] if each["handle"] == "bob"]
        assert token["lastUsedAt"] == "2026-03-02T12:00:00Z"


async def test_a_stream_ends_soon_after_its_token(agent: RunningAgent) -> None:
    assert isinstance(agent.clock, ManualClock)
    token = await add_token(agent, "bob", "read", expires="1 minute")
    async with agent.tcp(token) as bob, followed(agent, bob) as events:
        await stir(agent, "first")
        assert await anext(events) == "knowledge_base.changed"
        agent.clock.advance(timedelta(minutes=1))
        await stir(agent, "second")
        assert [event async for event in events] == []


async def test_a_stream_of_a_session_ends_with_it(agent: RunningAgent) -> None:
    async with agent.tcp() as bob:
        await log_in(bob)
        async with followed(agent, bob) as events:
            await stir(agent, "first")
            assert await anext(events) == "knowledge_base.changed"
            assert (await bob.post("/api/auth/logout", headers=OWN_PAGE)).status_code == 204
            await stir(agent, "second")
            assert [event async for event in events] == []


async def test_a_disabled_accounts_tokens_open_nothing_until_it_is_enabled(agent: RunningAgent) -> None:
    gate, local = agent.core.gate, agent.core.gate.local()
    await gate.accounts.create(local, "sales")
    await gate.users.put_membership(local, "bob", MembershipInput(account="sales"))
    token = await add_token(agent, "bob", "read", account="sales")
    for act, status in ((gate.accounts.disable, 401), (gate.accounts.enable, 200)):
        await act(local, "sales")
        async with agent.tcp(token) as client:
            assert (await client.get("/api/auth/me")).status_code == status


async def test_a_token_never_does_more_than_its_user_may_at_the_moment(agent: RunningAgent) -> None:
    everything = ["admin", "code", "delete", "edit", "read", "run"]
    gate, local = agent.core.gate, agent.core.gate.local()
    await gate.users.put_membership(local, "bob", MembershipInput(role="admin", code=True))
    token = await add_token(agent, "bob", *everything)
    assert await scopes_of(agent, token) == everything
    for role, code in product(("member", "admin"), (False, True)):
        await gate.users.put_membership(local, "bob", MembershipInput.model_validate({"role": role, "code": code}))
        held = {"delete", "edit", "read", "run"} | {"admin": {"admin"}}.get(role, set()) | ({"code"} if code else set())
        assert await scopes_of(agent, token) == sorted(held)
        async with agent.tcp(token) as client:
            assert (await client.get("/api/users")).status_code == (200 if role == "admin" else 403)


async def test_the_socket_names_an_account_and_has_it(agent: RunningAgent) -> None:
    async with agent.local() as local:
        made = (await make(local, "read", "code", account="made-now")).json()
        assert (made["info"]["accountId"], made["info"]["handle"]) == ("made-now", "operator")
        assert (await make(local, "read", account="not/one")).status_code == 400
        assert [each["id"] for each in (await local.get("/api/accounts")).json()["items"]] == ["default", "made-now"]
    assert await scopes_of(agent, made["token"]) == ["code", "read"]


async def test_of_two_tokens_the_new_one_goes_on_when_the_old_one_is_revoked(agent: RunningAgent) -> None:
    """As they are rotated; what the old one holds open ends at once, though nobody has anything to say there."""
    maker = RunMaker(agent)
    run = await maker.run(await maker.job())
    old, new = [await add_token(agent, "anna", "read", "admin") for _ in range(2)]
    path = f"/api/runs/{run.id}/log/follow"
    async with agent.tcp(old) as before, agent.tcp(new) as after, asyncio.timeout(PATIENCE):
        async with before.stream("GET", path) as silent, after.stream("GET", path) as going_on:
            ending, lasting = silent.aiter_raw(), going_on.aiter_raw()
            for chunks in (ending, lasting):
                await anext(chunks)
            await _revoked(agent, before)
            assert [chunk async for chunk in ending if b"lines" in chunk or b"end" in chunk] == []
            await agent.core.logs.append(run.id, [WireLine(at=agent.clock.now(), text="for the new one")], [])
            assert b"for the new one" in await anext(lasting)
        assert (await before.get("/api/auth/me")).status_code == 401
        assert (await after.get("/api/auth/me")).status_code == 200
