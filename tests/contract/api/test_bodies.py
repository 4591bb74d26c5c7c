"""Hostile and broken requests: a clear refusal, at once, in the contract's own words."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.harness.agent import RunningAgent

pytestmark = pytest.mark.asyncio(loop_scope="module")
JOB = {"name": "nightly", "type": "kb-sync"}
MEGABYTE = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(standing: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with standing.tcp(await standing.token("read", "edit", "run", "delete", "admin", "code")) as client:
        yield client


async def post(client: httpx.AsyncClient, path: str, content: Any, **headers: str) -> httpx.Response:
    return await client.post(path, content=content, headers={"Content-Type": "application/json"} | headers)


@pytest.mark.parametrize(("path", "code"), [("/api/jobs", "too_large"), ("/jobs/create", "REQUEST_TOO_LARGE")])
async def test_a_stream_of_100_megabytes_is_refused_and_the_agent_answers_on(
    client: httpx.AsyncClient, path: str, code: str
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"name": "'
        while sent < 100 * MEGABYTE:
            sent += MEGABYTE
            yield b"x" * MEGABYTE

    answer = await post(client, path, endless())
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == code
    assert (await client.get("/api/me")).status_code == 200


async def test_no_more_is_read_than_is_allowed(standing: RunningAgent) -> None:
    read, answered = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 65_536
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    async def send(message: Any) -> None:
        answered.append(message)

    token = await standing.token("edit")
    scope = {
        "type": "http", "method": "POST", "path": "/api/jobs", "raw_path": b"/api/jobs", "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"x-api-key", token.encode()), (b"content-length", b"2")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    await standing.agent.api(scope, receive, send)
    assert answered[0]["status"] == 413
    assert read <= MEGABYTE + 65_536


@pytest.mark.parametrize(("path", "code"), [("/api/jobs", "invalid_input"), ("/jobs/create", "INVALID_REQUEST")])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b'{"name": "a' + b"\\u0000" + b'b", "job_name": "x"}',
        b'{"name": "a\x00b"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\xff"}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b'{"na\\u0000me": 1}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b'{"data": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"\xfe\xff\x00{",
    ],
    ids=lambda content: repr(content[:24]),
)
async def test_what_is_no_plain_json_is_refused(
    client: httpx.AsyncClient, path: str, code: str, content: bytes
) -> None:
    answer = await post(client, path, content)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


async def test_the_field_with_the_nul_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/jobs", json=JOB | {"data": {"rows": ["fine", "not\0fine"]}})
    assert answer.status_code == 400
    assert answer.json()["error"]["faults"][0]["field"] == "data.rows.1"


async def test_nul_in_the_address_is_refused(client: httpx.AsyncClient) -> None:
    for address in ("/api/jobs/a%00b", "/api/jobs?q=a%00b"):
        answer = await client.get(address)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "invalid_input"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_other_media_types_are_refused(client: httpx.AsyncClient, kind: str) -> None:
    native = await client.post("/api/jobs", content=b"{}", headers={"Content-Type": kind})
    assert native.status_code == 415
    assert native.json()["error"]["code"] == "unsupported_media_type"
    contract = await client.post("/jobs/create", content=b"{}", headers={"Content-Type": kind})
    assert contract.status_code == 415
    assert contract.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_packed_bodies_are_refused_as_such(client: httpx.AsyncClient) -> None:
    for path in ("/api/jobs", "/v1/list-jobs"):
        answer = await post(client, path, gzip.compress(b"{}"), **{"Content-Encoding": "gzip"})
        assert (answer.status_code, "without Content-Encoding" in answer.text) == (415, True), path
    plain = await client.post("/v1/list-jobs", content=b"{}", headers={"Content-Encoding": "Identity"})
    assert plain.status_code == 200


async def test_a_body_of_unknown_or_wrong_fields_is_refused_by_name(client: httpx.AsyncClient) -> None:
    body = {"type": 3, "nmae": "x", "policies": {"jitter": "soon", "retries": 1}, "tags": ["a", 2]}
    answer = await client.post("/api/jobs", json=body)
    assert answer.status_code == 400
    faults = {fault["field"]: fault for fault in answer.json()["error"]["faults"]}
    assert set(faults) == {"name", "type", "nmae", "policies.jitter", "policies.retries", "tags.1"}
    assert faults["name"]["message"] == "is required"
    assert faults["nmae"]["message"] == "is not a known field"
    assert faults["policies.jitter"]["value"] == "soon"
    assert "30 s" in faults["policies.jitter"]["message"]


async def test_unknown_and_wrong_parameters_are_refused_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/runs?limit=0&sate=failed")
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["error"]["faults"]] == ["limit", "sate"]


async def test_a_credential_is_never_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/connections", json={"name": [], "url": {"password": "hunter2"}})
    assert answer.status_code == 400
    assert "hunter2" not in answer.text
    answer = await client.put("/api/secrets/x", json={"value": ["hunter2"]})
    assert answer.status_code == 400
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/jobs", {"GET", "HEAD", "POST"}),
        ("PATCH", "/api/jobs/x", {"GET", "HEAD", "PUT", "DELETE", "POST"}),
        ("POST", "/api/runs", {"GET", "HEAD"}),
        ("GET", "/api/jobs/x/_pause", {"POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("TRACE", "/api/me", {"GET", "HEAD"}),
        ("OPTIONS", "/api/me", {"GET", "HEAD"}),
    ],
)
async def test_other_methods_are_refused_with_those_that_there_are(
    client: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert set(answer.headers["allow"].split(", ")) == allowed


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    for path in ("/api/jobs", "/healthz", "/api/events"):
        answer = await client.head(path)
        assert answer.status_code == 200
        assert answer.content == b""
    assert (await client.head("/api/jobs/nobody")).status_code == 404


async def test_nothing_there_is_said_so(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api", "/api/jobs/", "/api/nothing", "/docs"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
    assert (await client.get("/jobs/other")).json()["success"] is False
