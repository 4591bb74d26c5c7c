"""What no client means to send, sent to every route that the application has: a clear refusal, and nothing is stored.

The routes are those of the application itself: one that is added tomorrow is tried tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio
from fastapi import FastAPI

from tests.harness.agent import RunningAgent
from tests.harness.agent_process import agent_process
from tests.harness.shell import Shell

pytestmark = pytest.mark.asyncio(loop_scope="module")
MEGABYTE = 1024 * 1024
WRITING = ("POST", "PUT", "PATCH")
FINE = {
    ("/api/jobs/_check", "any"): "what is wrong is what it is asked for",
    ("/api/auth/logout", "any"): "whoever is not logged in is logged out",
    ("/api/secrets/_rotate_key", "any"): "it takes no body, and names nothing that could be missing",
    ("/api/drafts", "nothing"): "a draft may begin empty",
    ("/v1/list-jobs", "nothing"): "all that it may say is optional",
    ("/v1/list-jobs", "unknown names"): "what it does not know it ignores",
}
"""Routes that rightly do what they are for, by the body's name."""

BODIES = {
    "nothing": b"",
    "half an object": b'{"name": ',
    "lists in lists": b"[" * 10_000 + b"]" * 10_000,
    "objects in objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "NUL": b'{"name": "a\\u0000b", "type": "command", "job_name": "a\\u0000b"}',
    "a lone surrogate": b'{"name": "\\ud800", "type": "command", "job_name": "\\ud800"}',
    "a number that is none": b'{"name": NaN}',
    "a number without end": b'{"name": 1e999, "numResults": 1' + b"0" * 400 + b"}",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "another shape": b'["name", 1, null]',
    "a text": b'"name"',
    "unknown names": b'{"__proto__": {"admin": true}, "constructor": 1, "no such field": 2}',
}

KEYS = {
    "nobody's": "0190a8b0-0000-7000-8000-000000000000",
    "a path": "..%2F..%2Fetc%2Fpasswd",
    "NUL": "%00",
    "SQL": "a'%20OR%201=1--",
    "a picture": "%F0%9F%92%A9",
    "no UTF-8": "%ff%fe",
    "long": "x" * 5000,
}
"""Ids that are none, or nobody's, as they stand in a path."""
NOBODYS = KEYS["nobody's"]


MOMENTS = (
    "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:00Z", "9999-12-31T23:59:59-12:00", "9899-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "1e20", "-99999999999999", "nan",
)  # fmt: skip
"""What may stand where a moment does: of any year that can be written, in a zone or in none."""
OF_MOMENTS = {"after", "since", "until", "startOn", "endOn", "created_after", "created_before"}


def _routes(app: FastAPI, *methods: str) -> list[tuple[str, str]]:
    """(method, path with {names}) of all that have one of the methods."""
    return [
        (method, route.path)
        for route in app.routes
        if hasattr(route, "path")
        for method in sorted(getattr(route, "methods", None) or ())
        if method in methods
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(standing: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with standing.local() as client:  # no rate is counted there
        yield client


async def _events(agent: RunningAgent) -> int:
    found: int = await agent.core.store.last_event_id()
    return found


@pytest.mark.parametrize("name", BODIES)
async def test_no_route_takes_such_a_body(standing: RunningAgent, client: httpx.AsyncClient, name: str) -> None:
    before = await _events(standing)
    for method, path in _routes(standing.agent.api, *WRITING):
        if (path, name) in FINE or (path, "any") in FINE:
            continue
        answer = await client.request(
            method, _filled(path, NOBODYS), content=BODIES[name], headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code, answer.text[:300])
        assert answer.headers["content-type"].startswith("application/json"), (method, path)
        assert "Traceback" not in answer.text
    assert await _events(standing) == before


@pytest.mark.parametrize("name", KEYS)
async def test_no_route_finds_such_a_key(standing: RunningAgent, client: httpx.AsyncClient, name: str) -> None:
    before = await _events(standing)
    for method, path in _routes(standing.agent.api, *WRITING, "GET", "DELETE"):
        if "{" not in path:
            continue
        answer = await client.request(method, _filled(path, KEYS[name]))
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code, answer.text[:300])
    assert await _events(standing) == before


async def test_no_moment_is_too_much(standing: RunningAgent, client: httpx.AsyncClient) -> None:
    await _make_runs(client)
    needed = {"intervalType": "cron", "interval": "0 2 * * *", "timezone": "Europe/Berlin"}
    asked = [
        (path.replace("{organization_id}", "default"), parameter["name"])
        for path, ways in standing.agent.api.openapi()["paths"].items()
        for parameter in ways.get("get", {}).get("parameters", [])
        if parameter["name"] in OF_MOMENTS and not path.endswith("/events")
    ]
    assert len(asked) >= 8
    for path, name in asked:
        given = needed if path.endswith("/job-fire-times") else {}
        for moment in MOMENTS:
            answer = await client.get(_filled(path, NOBODYS), params={**given, name: moment})
            assert answer.status_code < 500, (path, name, moment, answer.text[:300])


async def _make_runs(client: httpx.AsyncClient) -> None:
    """Some to look for."""
    job = {"name": "To be looked for", "type": "command", "data": {"command": "true"}}
    made = await client.post("/api/jobs", json=job)
    assert made.status_code == 201, made.text
    assert (await client.post(f"/api/jobs/{made.json()['id']}")).status_code == 202


@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.soak)])
async def test_bodies_of_100_megabytes_leave_memory_flat(every: int, standing: RunningAgent, tmp_path: Path) -> None:
    """To an agent that is a process of its own, so that its memory is its own."""
    shell = Shell(tmp_path / "data")
    with agent_process(tmp_path / "data", env=shell.environment | {"JOBDECK_REQUESTS_PER_MINUTE": "1000000"}) as agent:
        assert agent.process is not None
        process = psutil.Process(agent.process.pid)
        with agent.client() as local:
            before = process.memory_info().rss
            for method, path in _routes(standing.agent.api, *WRITING)[::every]:
                if (path, "any") in FINE:
                    continue
                answer = _send(local, method, _filled(path, NOBODYS))
                assert answer is None or 400 <= answer < 500, (method, path, answer)
            assert process.memory_info().rss - before < 50 * MEGABYTE
        assert agent.call("GET", "/api/jobs")["total"] == 0


def _send(client: httpx.Client, method: str, path: str) -> int | None:
    """The status; None where the agent hung up before it had read all of it, as it may."""
    try:
        with client.stream(method, path, content=_endless(), headers={"Content-Type": "application/json"}) as answer:
            return answer.status_code
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        return None


def _endless() -> Iterator[bytes]:
    yield b'{"name": "'
    part = b"x" * MEGABYTE
    for _ in range(100):
        yield part


def _filled(path: str, key: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: key, path)
