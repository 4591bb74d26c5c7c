"""Logging in by name and password: what a session is, how it ends, and how guessing is slowed down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from unittest.mock import patch

import argon2
import httpx
import pytest

from agent.api.auth import COOKIE
from shared.clock import ManualClock
from shared.models import MembershipInput
from tests.harness.agent import CHEAP, RunningAgent, running_agent
from tests.harness.people import OWN_PAGE, PASSWORD, add_token, add_user, log_in

LATER = timedelta(minutes=10)


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "d") as running:
        await add_user(running)
        yield running


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp() as opened:
        yield opened


def pass_time(agent: RunningAgent, span: timedelta) -> None:
    assert isinstance(agent.clock, ManualClock)
    agent.clock.advance(span)


def cookie_of(answer: httpx.Response) -> Any:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


async def status(client: httpx.AsyncClient) -> int:
    return (await client.get("/api/auth/me")).status_code


async def test_who_logs_in_is_known_by_a_cookie_that_scripts_and_other_sites_do_not_get(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    answer = await log_in(client, "BOB")
    assert answer.json() == (await client.get("/api/auth/me")).json()
    assert answer.json()["scopes"] == ["delete", "edit", "read", "run"]
    assert (answer.json()["handle"], answer.json()["via"]) == ("bob", "session")
    cookie = cookie_of(answer)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "strict", "/", "")
    assert PASSWORD not in agent.agent.settings.data_dir.joinpath("jobdeck.db").read_bytes().decode("latin-1")
    assert cookie.value.encode() not in agent.agent.settings.data_dir.joinpath("jobdeck.db").read_bytes()


async def test_behind_encryption_the_cookie_stays_there(client: httpx.AsyncClient) -> None:
    client.headers["X-Forwarded-Proto"] = "https"
    assert cookie_of(await log_in(client))["secure"] is True


async def test_a_session_changes_nothing_unless_our_own_page_asks(client: httpx.AsyncClient) -> None:
    await log_in(client)
    own = str(client.base_url).rstrip("/")
    for said in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "null"}):
        assert (await client.post("/api/jobs/x", headers=said)).status_code == 403, said
    for said in (OWN_PAGE, {"Origin": own}):
        assert (await client.post("/api/jobs/x", headers=said)).status_code == 404, said
    assert (await client.get("/api/jobs")).status_code == 200


async def test_a_cookie_is_no_use_at_another_door_nor_altered(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await log_in(client)
    good = client.cookies[COOKIE]
    text, _, mark = good.rpartition(".")
    for wrong in ("", "x", good[:-1], f"{text}x.{mark}", text, f"{mark}.{text}", good * 100, "ü"):
        for door in (agent.tcp(), agent.local()):
            async with door:
                raw = [(b"cookie", f"{COOKIE}={wrong}".encode())]
                assert (await door.get("/api/auth/me", headers=raw)).status_code == 401, wrong
    async with agent.local() as door:
        assert (await door.get("/api/auth/me", headers={"Cookie": f"{COOKIE}={good}"})).json()["via"] == "session"


async def test_logout_ends_it_for_whoever_has_the_cookie(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await log_in(client)
    kept = client.cookies[COOKIE]
    assert (await client.post("/api/auth/logout", headers=OWN_PAGE)).status_code == 204
    assert COOKIE not in client.cookies
    async with agent.tcp(Cookie=f"{COOKIE}={kept}") as thief:
        assert await status(thief) == 401


@pytest.mark.parametrize("unit", [timedelta(minutes=1), timedelta(seconds=6)], ids=str)
async def test_it_ends_when_it_is_not_used_and_at_its_end(tmp_path: Path, unit: timedelta) -> None:
    settings = {"session_idle": 10 * unit, "session_lifetime": 60 * unit}
    async with running_agent(tmp_path / "d", **settings) as agent, agent.tcp() as used, agent.tcp() as idle:
        await add_user(agent)
        for client in (used, idle):
            ends = datetime.fromisoformat((await log_in(client)).json()["expiresAt"])
            assert ends == agent.clock.now() + 60 * unit
        pass_time(agent, 9 * unit)
        assert await status(used) == 200
        pass_time(agent, unit)
        assert (await status(used), await status(idle)) == (200, 401)
        for _ in range(5):
            pass_time(agent, 9 * unit)
            assert await status(used) == 200
        pass_time(agent, 5 * unit)
        assert await status(used) == 401


@pytest.mark.parametrize("act", ["disable", "disable there", "disable account", "password"])
async def test_who_is_disabled_or_gets_a_new_password_is_logged_out_at_once(
    agent: RunningAgent, client: httpx.AsyncClient, act: str
) -> None:
    gate, local = agent.core.gate, agent.core.gate.local()
    await gate.accounts.create(local, "sales")
    await add_user(agent, "carl", account="sales")
    assert (await log_in(client, "carl")).json()["accountId"] == "sales"
    match act:
        case "disable":
            await gate.users.disable(local, "carl", None)
        case "disable there":
            await gate.users.disable(local, "carl", "sales")
        case "disable account":
            await gate.accounts.disable(local, "sales")
        case _:
            await gate.users.set_password(local, "carl", "another password")
    assert await status(client) == 401
    if act != "password":
        assert (await log_in(client, "carl")).status_code == 401


async def test_users_of_several_accounts_say_which_one(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    gate, local = agent.core.gate, agent.core.gate.local()
    await gate.accounts.create(local, "sales")
    await gate.users.put_membership(local, "bob", MembershipInput(account="sales", role="admin"))
    answer = await log_in(client)
    assert (answer.status_code, answer.json()["error"]["faults"][0]["field"]) == (400, "account")
    assert "default, sales" in answer.json()["error"]["message"]
    assert "admin" in (await log_in(client, account="sales")).json()["scopes"]
    assert (await log_in(client, account="elsewhere")).status_code == 401


@contextmanager
def counted() -> Iterator[list[str]]:
    """The hashes that passwords are checked against."""
    checked: list[str] = []
    verify = argon2.PasswordHasher.verify

    def watched(self: Any, hashed: Any, password: Any) -> Any:
        checked.append(hashed)
        return verify(self, hashed, password)

    with patch.object(argon2.PasswordHasher, "verify", watched):
        yield checked


async def test_whatever_is_wrong_the_work_and_the_words_are_the_same(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    await add_user(agent, "carl", password=None)
    await add_user(agent, "dora")
    await agent.core.gate.users.disable(agent.core.gate.local(), "dora", None)
    await log_in(client)
    client.cookies.clear()
    said, costs = set(), set()
    wrong = [("bob", "wrong password"), ("nobody", PASSWORD), ("carl", PASSWORD), ("dora", PASSWORD), ("", "")]
    for handle, password in wrong:
        with counted() as checked:
            answer = await log_in(client, handle, password)
        assert (answer.status_code, len(checked)) == (401, 1), handle
        said.add(answer.json()["error"]["message"])
        costs.add(tuple(checked[0].split("$")[1:4]))
    assert (len(said), costs) == (1, {("argon2id", "v=19", "m=8,t=1,p=1")})
    assert all(handle not in text for text in said for handle in ("bob", "carl"))


async def test_a_login_with_another_cost_than_the_settings_keeps_the_password_anew(tmp_path: Path) -> None:
    async with running_agent(tmp_path / "d") as agent:
        await add_user(agent)
        before = (await agent.core.store.find_user("bob")).password_hash
    async with running_agent(tmp_path / "d", passwords=CHEAP | {"time_cost": 2}) as agent:
        for wrong_first in ("not the password", PASSWORD, PASSWORD):
            async with agent.tcp() as client:
                await log_in(client, password=wrong_first)
        after = (await agent.core.store.find_user("bob")).password_hash
        assert ("t=1," in before, "t=2," in after) == (True, True)
        async with agent.tcp() as client:
            assert (await log_in(client)).status_code == 200


async def test_guessing_is_slowed_down_and_what_is_right_waits_no_longer_than_it_says(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    assert [(await log_in(client, password="wrong")).status_code for _ in range(6)] == [401] * 5 + [429]
    refused = await log_in(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert (await log_in(client, "carl", "wrong")).status_code == 401
    pass_time(agent, timedelta(seconds=30))
    assert [(await log_in(client)).status_code for _ in range(20)] == [200] * 20


async def test_tries_at_the_same_moment_are_tries_too(agent: RunningAgent) -> None:
    async with agent.tcp() as client:
        answers = await asyncio.gather(*(log_in(client, password="wrong") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_who_guesses_elsewhere_locks_nobody_out(tmp_path: Path) -> None:
    settings = {"trusted_proxies": ["127.0.0.0/8"]}
    async with running_agent(tmp_path / "d", **settings) as agent:
        await add_user(agent)
        async with agent.tcp(**{"X-Forwarded-For": "198.51.100.7"}) as bob:
            assert (await log_in(bob)).status_code == 200
            for number in range(60):
                async with agent.tcp(**{"X-Forwarded-For": f"203.0.113.{number}"}) as guesser:
                    last = await log_in(guesser, password="wrong")
            assert last.status_code == 429
            assert int(last.headers["retry-after"]) <= 6
            assert (await log_in(bob)).status_code == 200
            token = await add_token(agent, "bob", "read")
            async with agent.tcp(token) as program:
                assert await status(program) == 200


async def test_addresses_that_a_client_writes_itself_count_for_nothing(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    for number in range(5):
        client.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        assert (await log_in(client, password="wrong")).status_code == 401
    client.headers["X-Forwarded-For"] = "198.51.100.1"
    assert (await log_in(client, password="wrong")).status_code == 429


async def test_ones_own_password_is_changed_by_who_knows_it(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    async with agent.tcp() as elsewhere:
        await log_in(client)
        await log_in(elsewhere)
        wrong = {"current": "wrong", "password": "another password"}
        assert (await client.put("/api/auth/password", json=wrong, headers=OWN_PAGE)).status_code == 401
        for bad in ("short", "x" * 1025, "bob"):
            answer = await client.put(
                "/api/auth/password", json={"current": PASSWORD, "password": bad}, headers=OWN_PAGE
            )
            assert answer.json()["error"]["faults"][0]["field"] == "password"
            assert bad not in answer.text.replace("password", "")
        right = {"current": PASSWORD, "password": "another password"}
        assert (await client.put("/api/auth/password", json=right, headers=OWN_PAGE)).status_code == 204
        assert (await status(client), await status(elsewhere)) == (200, 401)
        assert (await log_in(elsewhere)).status_code == 401
        assert (await log_in(elsewhere, password="another password")).status_code == 200


async def test_the_agents_own_user_is_who_opens_its_socket_and_has_no_password(agent: RunningAgent) -> None:
    async with agent.local() as local, agent.tcp() as client:
        given = {"current": "", "password": "another password"}
        assert (await local.put("/api/auth/password", json=given)).status_code == 403
        assert (await log_in(client, "operator", "")).status_code == 401


async def test_the_record_says_who_logged_in_and_whose_login_was_refused(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    await log_in(client)
    await log_in(client, password="wrong")
    for name in ("nobody", "hunter2"):  # what stands in the place of a name may be a password
        await log_in(client, name, "wrong")
    async with agent.local() as local:
        found = (await local.get("/api/audit", params={"act": "log_in"})).json()["items"]
    said = [(each["outcome"], each["handle"], each["address"], each["count"]) for each in found]
    assert said == [
        ("refused", "(unknown)", "127.0.0.1", 2), ("refused", "bob", "127.0.0.1", 1), ("done", "bob", "127.0.0.1", 1)
    ]  # fmt: skip
    assert "hunter2" not in str(found)


async def test_a_letter_is_the_same_however_the_keyboard_writes_it(agent: RunningAgent) -> None:
    composed, decomposed = "Sch\u00f6ne Gr\u00fc\u00dfe", "Scho\u0308ne Gru\u0308\u00dfe"
    await add_user(agent, "dora", password=composed)
    for written in (composed, decomposed):
        async with agent.tcp() as client:
            assert (await log_in(client, "dora", written)).status_code == 200
