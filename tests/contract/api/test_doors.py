"""Who gets in: credentials, scopes, rates, hosts, origins, and nobody by a claim of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.clock import ManualClock
from tests.contract.api.conftest import make_world
from tests.contract.api.test_kb_sync import AHEAD
from tests.harness.agent import RunningAgent, running_agent


@pytest.fixture
async def open_agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    """An agent whose settings name an anonymous account."""
    async with running_agent(tmp_path / "d", anonymous_account="default") as agent:
        await make_world(agent, tmp_path)
        yield agent


def code_of(answer: httpx.Response) -> Any:
    return answer.json()["error"]["code"]


async def test_without_credentials_every_route_but_the_probes_is_refused(agent: RunningAgent) -> None:
    async with agent.local() as local:
        paths = (await local.get("/openapi.json")).json()["paths"]
    async with agent.tcp() as client:
        for path, operations in paths.items():
            for method in operations:
                answer = await client.request(method, path.replace("{", "").replace("}", ""))
                expected = {"/healthz": 200, "/readyz": 503, "/api/auth/login": 400}.get(path, 401)
                assert answer.status_code == expected, (method, path, answer.text)
                if expected == 401:
                    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer jd_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": ""},
        {"x-api-key": "jd_wrong"},
        {"x-api-key": ""},
        {"x-api-key": "\u00fc"},
    ],
)
async def test_wrong_credentials_are_refused_on_both_doors(agent: RunningAgent, headers: dict[str, str]) -> None:
    for client in (agent.tcp(), agent.local()):
        async with client:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            answer = await client.get("/api/me", headers=raw)
            assert answer.status_code == 401
            assert code_of(answer) == "unauthenticated"


async def test_a_token_works_in_either_header(agent: RunningAgent) -> None:
    token = await agent.token("read")
    async with agent.tcp() as client:
        for headers in ({"Authorization": f"bearer {token}"}, {"X-API-Key": token}):
            me = (await client.get("/api/me", headers=headers)).json()
            assert me["via"] == "token"
            assert me["scopes"] == ["read"]


async def test_the_socket_is_the_local_user_unless_a_token_is_sent(agent: RunningAgent) -> None:
    token = await agent.token("read")
    async with agent.local() as client:
        assert (await client.get("/api/me")).json()["via"] == "socket"
        assert "code" in (await client.get("/api/me")).json()["scopes"]
        sent = await client.get("/api/me", headers={"x-api-key": token})
        assert sent.json()["via"] == "token"


async def test_no_header_makes_a_request_come_by_the_socket(agent: RunningAgent) -> None:
    claims = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "unix",
        "jobdeck.channel": "socket",
        "Host": "localhost",
    }
    async with agent.tcp() as client:
        assert (await client.get("/api/me", headers=claims)).status_code == 401


async def test_scopes_are_needed_as_listed(agent: RunningAgent) -> None:
    async with agent.tcp(await agent.token("read")) as client:
        assert (await client.get("/api/jobs")).status_code == 200
        for method, path in (
            ("POST", "/api/jobs"),
            ("POST", "/api/jobs/x"),
            ("DELETE", "/api/jobs/x"),
            ("POST", "/api/runs/x/_cancel"),
            ("POST", "/api/connections"),
            ("GET", "/api/secrets"),
            ("GET", "/api/users"),
            ("GET", "/api/accounts"),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == 403, (method, path)
            assert code_of(answer) == "forbidden"


async def test_code_is_needed_for_jobs_that_run_programs(agent: RunningAgent) -> None:
    job = {"name": "shell", "type": "command", "data": {"command": "true"}}
    async with agent.tcp(await agent.token("read", "edit", "admin")) as client:
        assert (await client.post("/api/jobs", json=job)).status_code == 403


async def test_a_revoked_token_opens_nothing(agent: RunningAgent) -> None:
    async with agent.local() as local:
        made = (await local.post("/api/tokens", json={"name": "ci", "scopes": ["read"]})).json()
        async with agent.tcp(made["token"]) as client:
            assert (await client.get("/api/me")).status_code == 200
            assert (await local.delete(f"/api/tokens/{made['info']['id']}")).status_code == 204
            assert (await client.get("/api/me")).status_code == 401


async def test_rates_are_per_token_and_the_socket_has_none(
    tmp_path: Path,
) -> None:
    async with running_agent(tmp_path / "d", requests_per_minute=5) as agent:
        assert isinstance(agent.clock, ManualClock)
        first, second = await agent.token("read"), await agent.token("read")
        async with agent.tcp(first) as client, agent.tcp(second) as other, agent.local() as local:
            assert [(await client.get("/api/me")).status_code for _ in range(6)] == [200] * 5 + [429]
            refused = await client.get("/api/me")
            assert refused.headers["retry-after"] == "12"
            assert code_of(refused) == "too_many"
            in_contract = await client.post("/jobs/create", json={})
            assert in_contract.status_code == 429
            assert code_of(in_contract) == "RATE_LIMIT_EXCEEDED"
            assert in_contract.headers["retry-after"] == "12"
            assert (await other.get("/api/me")).status_code == 200
            assert {(await local.get("/api/me")).status_code for _ in range(20)} == {200}
            agent.clock.advance(timedelta(seconds=12))
            assert [(await client.get("/api/me")).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1234", "127.0.0.1:9", "127.9.9.9", "[::1]:8000", "jobs.example.com"]
)
async def test_hosts_that_are_answered(tmp_path: Path, host: str) -> None:
    async with running_agent(tmp_path / "d", allowed_hosts=["Jobs.Example.com"]) as agent, agent.tcp() as client:
        assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
        "[::2]",
        "evil.example:80@localhost",
    ],
)
async def test_other_hosts_are_not(agent: RunningAgent, host: str) -> None:
    async with agent.tcp(await agent.token("read")) as client:
        for path in ("/healthz", "/api/me"):
            answer = await client.get(path, headers={"Host": host})
            assert answer.status_code == 421, host
            assert code_of(answer) == "misdirected"
        answer = await client.post("/jobs/create", json={}, headers={"Host": host})
        assert answer.status_code == 421
        assert code_of(answer) == "MISDIRECTED_REQUEST"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1"])
async def test_pages_of_other_sites_are_refused(agent: RunningAgent, origin: str) -> None:
    async with agent.tcp(await agent.token("read", "edit")) as client:
        assert (await client.get("/api/me", headers={"Origin": origin})).status_code == 403
        assert code_of(await client.post("/jobs/create", json=AHEAD, headers={"Origin": origin})) == "FORBIDDEN"
        own = await client.get("/api/me", headers={"Origin": agent.url})
        assert own.status_code == 200


async def test_anonymous_is_honoured_as_the_contract_says(open_agent: RunningAgent) -> None:
    async with open_agent.tcp() as client:
        answer = await client.post("/jobs/create", json=AHEAD)
        assert answer.status_code == 201, answer.text
        named = await client.post("/jobs/create", json=AHEAD | {"job_name": "b"}, headers={"Host": "localhost:8000"})
        assert named.status_code == 201


async def test_anonymous_goes_nowhere_else(open_agent: RunningAgent) -> None:
    async with open_agent.tcp() as client:
        for path in ("/api/jobs", "/api/me", "/api/events", "/metrics", "/openapi.json"):
            assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Forwarded": "for=127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Anything": ""},
        {"Host": "jobs.example.com"},
        {"Authorization": "Bearer jd_wrong"},
        {"x-api-key": "jd_wrong"},
    ],
)
async def test_anonymous_is_not_for_what_came_from_elsewhere(tmp_path: Path, headers: dict[str, str]) -> None:
    settings = {"anonymous_account": "default", "allowed_hosts": ["jobs.example.com"]}
    async with running_agent(tmp_path / "d", **settings) as agent, agent.tcp() as client:
        answer = await client.post("/jobs/create", json=AHEAD, headers=headers)
        assert answer.status_code == 401
        assert code_of(answer) == "UNAUTHENTICATED"


async def test_without_the_setting_nobody_is_anonymous(world: RunningAgent) -> None:
    async with world.tcp() as client:
        assert (await client.post("/jobs/create", json=AHEAD)).status_code == 401


async def test_every_answer_has_an_id_and_no_store(agent: RunningAgent) -> None:
    async with agent.tcp() as client:
        for path in ("/healthz", "/nowhere", "/api/me"):
            answer = await client.get(path)
            assert len(answer.headers["x-request-id"]) == 36
            assert answer.headers["cache-control"] == "no-store"
        given = await client.get("/healthz", headers={"X-Request-Id": "abc-1"})
        assert given.headers["x-request-id"] == "abc-1"
        forged = await client.get("/healthz", headers={"X-Request-Id": "a b{}"})
        assert forged.headers["x-request-id"] != "a b{}"
