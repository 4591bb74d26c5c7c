"""Contract 002: sources and connections, and what they become here."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.ids import new_id
from shared.models import JobInput
from tests.contract.api.runs_made import RunMaker
from tests.contract.api.test_connector_jobs import JOBS, ROOT, error_of
from tests.contract.api.test_kb_sync import AHEAD
from tests.harness.agent import NOW, RunningAgent

SOURCES, CONNECTIONS = f"{ROOT}/sources", f"{ROOT}/connections"
ORDERS = {"table": "orders", "content_columns": ["product", "description"], "filter_column": "created_at"}
NOTES = {"table": "notes", "content_columns": ["body"], "filter_column": "seq", "key_columns": ["seq"]}


@pytest.fixture
async def client(world: RunningAgent, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    with sqlite3.connect(tmp_path / "orders.sqlite") as source:
        source.execute("create table notes (seq integer, body text)")
    async with world.local() as client:
        yield client


async def source_id(client: httpx.AsyncClient) -> str:
    return str((await client.get(SOURCES)).json()["data"][0]["source_id"])


async def connected(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    given = {"name": "Orders", "source_id": await source_id(client), "configurations": {"streams": [ORDERS]}} | fields
    answer = await client.post(CONNECTIONS, json=given)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def job_of(client: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = (await client.get(f"/api/jobs/{made['connection_id']}")).json()
    return job


async def bases(client: httpx.AsyncClient) -> dict[str, str]:
    return {base["name"]: base["id"] for base in (await client.get("/api/knowledge-bases")).json()["items"]}


async def test_a_connection_is_a_job_with_streams(client: httpx.AsyncClient) -> None:
    base = (await bases(client))["orders_kb"]
    schedule = {"interval_type": "cron", "interval": "*/10 * * * *", "timezone": "Europe/Berlin"}
    made = await connected(client, destination_id=base, configurations={"streams": [ORDERS, NOTES]}, schedule=schedule)
    assert made == {
        "connection_id": made["connection_id"],
        "name": "Orders",
        "workspace_id": "default",
        "source_id": await source_id(client),
        "destination_id": base,
        "configurations": {
            "streams": [
                {**ORDERS, "key_columns": None, "attribute_columns": None},
                {**NOTES, "attribute_columns": None},
            ]
        },
        "schedule": schedule,
        "status": "active",
        "created_at": "2026-03-02T12:00:00Z",
        "updated_at": "2026-03-02T12:00:00Z",
    }
    job = await job_of(client, made)
    assert (job["type"], job["enabled"], job["interval"]) == ("kb-sync", True, "*/10 * * * *")
    assert job["data"]["knowledge_base"] == "orders_kb"
    assert [stream["source_table"] for stream in job["data"]["streams"]] == ["orders_db.orders", "orders_db.notes"]
    assert (await client.get(f"{CONNECTIONS}/{made['connection_id']}")).json() == made
    assert (await client.get(CONNECTIONS)).json() == {"data": [made], "total": 1}


async def test_without_a_destination_one_is_made(client: httpx.AsyncClient) -> None:
    one = await connected(client, name="Ünser shop: orders!")
    two = await connected(client, name="nser shop orders", status="inactive")
    found = await bases(client)
    assert one["destination_id"] == found["nser-shop-orders"]
    assert two["destination_id"] == found["nser-shop-orders-2"]
    assert (two["status"], two["schedule"]) == ("inactive", None)
    assert (await job_of(client, two))["enabled"] is False


async def test_what_cannot_be_published_leaves_nothing(client: httpx.AsyncClient) -> None:
    before = await bases(client)
    wrong = [
        (
            {"configurations": {"streams": [ORDERS | {"filter_column": "nope"}]}},
            "configurations.streams.0.filter_column",
        ),
        ({"configurations": {"streams": [ORDERS | {"table": "nope"}]}}, "configurations.streams.0.table"),
        (
            {"configurations": {"streams": [ORDERS, NOTES | {"key_columns": None}]}},
            "configurations.streams.1.key_columns",
        ),
        ({"configurations": {"streams": [ORDERS, ORDERS]}}, "configurations.streams"),
        ({"configurations": {"streams": []}}, "configurations.streams"),
        ({"configurations": {"streams": "orders"}}, "configurations.streams"),
        ({"configurations": {}}, "configurations.streams"),
        ({"schedule": {"interval_type": "cron", "interval": "never"}}, "schedule.interval"),
        (
            {"schedule": {"interval_type": "simple", "interval": "10 minutes", "timezone": "Nowhere"}},
            "schedule.timezone",
        ),
        ({"schedule": {"interval_type": "weekly", "interval": "x"}}, "schedule.interval_type"),
        ({"status": "paused"}, "status"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"source_id": "nobody"}, "source_id"),
        ({"source_id": None}, "source_id"),
        ({"destination_id": "nobody"}, "destination_id"),
        ({"workspace_id": "elsewhere"}, "workspace_id"),
    ]
    given = {"name": "Orders", "source_id": await source_id(client), "configurations": {"streams": [ORDERS]}}
    for fields, field in wrong:
        answer = await client.post(CONNECTIONS, json=given | fields)
        assert set(error_of(answer, 400, "INVALID_REQUEST")["details"]) == {field}, fields
    for body in (b"{", b"[]", b'{"name": "\\ud800"}', b'{"name": "a\\u0000"}', b'{"a":' + b"[" * 10_000):
        error_of(await client.post(CONNECTIONS, content=body), 400, "INVALID_REQUEST")
    assert (await client.get(CONNECTIONS)).json() == {"data": [], "total": 0}
    assert await bases(client) == before


async def test_a_name_that_is_taken(client: httpx.AsyncClient) -> None:
    await connected(client)
    before = await bases(client)
    given = {"name": "Orders", "source_id": await source_id(client), "configurations": {"streams": [ORDERS]}}
    error_of(await client.post(CONNECTIONS, json=given), 409, "CONNECTOR_CONNECTION_CONFLICT")
    assert await bases(client) == before


async def test_changes_are_revisions(client: httpx.AsyncClient) -> None:
    made = await connected(client)
    path = f"{CONNECTIONS}/{made['connection_id']}"
    schedule = {"interval_type": "simple", "interval": "10 minutes", "timezone": "UTC"}
    changed = (await client.patch(path, json={"schedule": schedule, "status": "inactive", "name": "Other"})).json()
    assert changed == made | {"schedule": schedule, "status": "inactive", "name": "Other"}
    changed = (await client.patch(path, json={"schedule": None, "status": "active"})).json()
    assert (changed["schedule"], changed["status"]) == (None, "active")
    streams = {"streams": [ORDERS, NOTES]}
    base = (await bases(client))["orders_kb"]
    changed = (await client.patch(path, json={"configurations": streams, "destination_id": base})).json()
    assert ([each["table"] for each in changed["configurations"]["streams"]], changed["destination_id"]) == (
        ["orders", "notes"],
        base,
    )
    assert (await client.patch(path, json={})).json()["configurations"] == changed["configurations"]
    refused = await client.patch(path, json={"configurations": {"streams": [ORDERS | {"filter_column": "nope"}]}})
    assert set(error_of(refused, 400, "INVALID_REQUEST")["details"]) == {"configurations.streams.0.filter_column"}
    events = (await client.get(f"{path}/timeline")).json()
    assert {event["event_type"] for event in events["data"]} == {"created", "updated"}
    assert (await client.delete(path)).status_code == 204
    error_of(await client.get(path), 404, "CONNECTOR_CONNECTION_NOT_FOUND")


async def test_of_two_changes_at_once_neither_is_lost(client: httpx.AsyncClient) -> None:
    made = await connected(client)
    path, base = f"{CONNECTIONS}/{made['connection_id']}", (await bases(client))["orders_kb"]
    changes = ({"destination_id": base}, {"configurations": {"streams": [ORDERS, NOTES]}}, {"name": "Other"})
    answers = await asyncio.gather(*(client.patch(path, json=change) for change in changes))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    found = (await client.get(path)).json()
    assert (found["destination_id"], found["name"]) == (base, "Other")
    assert [stream["table"] for stream in found["configurations"]["streams"]] == ["orders", "notes"]


async def test_a_paused_job_is_inactive_until_it_is_made_active(client: httpx.AsyncClient) -> None:
    made = await connected(client)
    path = f"{CONNECTIONS}/{made['connection_id']}"
    assert (await client.post(f"/api/jobs/{made['connection_id']}/_pause")).status_code == 200
    assert (await client.get(path)).json()["status"] == "inactive"
    assert (await client.patch(path, json={"status": "active"})).json()["status"] == "active"


async def test_jobs_of_one_table_are_connections_too(client: httpx.AsyncClient) -> None:
    made = (await client.post("/jobs/create", json=AHEAD)).json()["data"]["job_id"]
    [shown] = (await client.get(CONNECTIONS)).json()["data"]
    assert shown["connection_id"] == made
    assert shown["configurations"]["streams"] == [{**ORDERS, "key_columns": None, "attribute_columns": None}]
    refreshed = await client.post(f"{CONNECTIONS}/{made}/refresh", json={"streams": ["orders"]})
    assert refreshed.json()["job_type"] == "reset"
    changed = await client.patch(f"{CONNECTIONS}/{made}", json={"configurations": {"streams": [ORDERS, NOTES]}})
    assert changed.status_code == 200, changed.text


async def test_what_is_asked_for_are_runs_of_their_kind(client: httpx.AsyncClient) -> None:
    made = await connected(client, configurations={"streams": [ORDERS, NOTES]})
    key = made["connection_id"]
    asked = [
        ("sync", JOBS, {"connection_id": key, "job_type": "sync"}, "sync"),
        ("reset", JOBS, {"connection_id": key, "job_type": "reset"}, "reset"),
        ("refresh", f"{CONNECTIONS}/{key}/refresh", {"streams": ["notes"], "remove_records": False}, "reset"),
        ("reset", f"{CONNECTIONS}/{key}/refresh", {"streams": ["notes"], "remove_records": True}, "reset"),
        ("clear", f"{CONNECTIONS}/{key}/clear", {"streams": []}, "reset"),
        ("clear", f"{CONNECTIONS}/{key}/clear", None, "reset"),
    ]
    kinds = []
    for kind, path, body, type_ in asked:
        answer = await (client.post(path) if body is None else client.post(path, json=body))
        assert answer.status_code == 201, answer.text
        run = answer.json()
        assert (run["status"], run["job_type"], run["connection_id"]) == ("pending", type_, key)
        kinds.append(kind)
    timeline = (await client.get(f"{CONNECTIONS}/{key}/timeline")).json()
    assert [event["event_type"] for event in timeline["data"]] == [*kinds[::-1], "created"]
    assert timeline["total"] == 7
    assert all(set(event) == {"event_id", "event_type", "created_at", "summary"} for event in timeline["data"])
    for query, count in (
        ("event_type=clear", 2),
        ("event_type=sync", 1),
        ("event_type=created", 1),
        ("status=pending", 6),
        ("status=failed", 0),
        ("event_type=created&status=failed", 0),
        ("limit=2&offset=6", 7),
    ):
        body = (await client.get(f"{CONNECTIONS}/{key}/timeline?{query}")).json()
        assert body["total"] == count, query
    assert len(body["data"]) == 1
    for path in ("refresh", "clear"):
        refused = await client.post(f"{CONNECTIONS}/{key}/{path}", json={"streams": ["others"]})
        assert set(error_of(refused, 400, "INVALID_REQUEST")["details"]) == {"streams"}
        refused = await client.post(f"{CONNECTIONS}/{key}/{path}", json={"streams": "notes"})
        assert set(error_of(refused, 400, "INVALID_REQUEST")["details"]) == {"streams"}
    assert (await client.get(JOBS)).json()["total"] == 6


async def test_a_job_that_is_a_reset_itself_has_no_clear(world: RunningAgent, client: httpx.AsyncClient) -> None:
    data = {
        "source_table": "orders_db.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product"],
        "filter_column": "created_at",
    }
    job = await world.core.jobs.create(world.core.gate.local(), JobInput(name="R", type="kb-reset", data=data))
    for kind in ("sync", "reset"):
        answer = await client.post(JOBS, json={"connection_id": job.id, "job_type": kind})
        assert answer.json()["job_type"] == kind
    error_of(await client.post(f"{CONNECTIONS}/{job.id}/clear"), 400, "INVALID_REQUEST")


async def test_other_jobs_are_no_connections(world: RunningAgent, client: httpx.AsyncClient) -> None:
    job = await RunMaker(world).job("C")
    error_of(await client.get(f"{CONNECTIONS}/{job.id}"), 404, "CONNECTOR_CONNECTION_NOT_FOUND")
    assert (await client.get(CONNECTIONS)).json()["total"] == 0


async def test_sources_are_made_changed_and_removed(client: httpx.AsyncClient) -> None:
    given = {
        "name": "shop",
        "source_definition_id": "postgresql",
        "workspace_id": "default",
        "configuration": {
            "host": "db.example",
            "port": 5433,
            "database": "shop",
            "user": "me",
            "password": "s3cret!/@",
        },
    }
    answer = await client.post(SOURCES, json=given)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made == {
        "source_id": made["source_id"],
        "name": "shop",
        "source_definition_id": "postgresql",
        "workspace_id": "default",
        "configuration": {"url": made["configuration"]["url"], "secret": "connection-shop"},
        "created_at": "2026-03-02T12:00:00Z",
    }
    assert made["configuration"]["url"].endswith("://me@db.example:5433/shop")
    path = f"{SOURCES}/{made['source_id']}"
    assert (await client.get(path)).json() == made
    url = {"url": "postgresql://me:hunter2@db.example/other"}
    changed = await client.patch(path, json={"configuration": url})
    assert changed.json()["configuration"]["url"].endswith("://me@db.example/other")
    renamed = await client.patch(path, json={"name": "store"})
    moved = {**changed.json()["configuration"], "secret": "connection-store"}
    assert (renamed.json()["name"], renamed.json()["configuration"]) == ("store", moved)
    replaced = await client.put(path, json=given)
    assert replaced.json() == made
    for answer in (changed, renamed, replaced, await client.get(SOURCES)):
        assert "hunter2" not in answer.text
        assert "s3cret" not in answer.text
    assert (await client.delete(path)).status_code == 204
    error_of(await client.get(path), 404, "CONNECTOR_SOURCE_NOT_FOUND")


async def test_a_changed_source_is_what_runs_get(world: RunningAgent, client: httpx.AsyncClient) -> None:
    given = {"name": "shop", "source_definition_id": "postgresql", "configuration": {"url": "postgresql://me:one@h/d"}}
    key = (await client.post(SOURCES, json=given)).json()["source_id"]

    async def granted() -> str:
        connection = await world.core.store.get_connection("default", key)
        return str((await world.core.world._granting.connection(connection))[0].url)

    assert ":one@" in await granted()
    await client.patch(f"{SOURCES}/{key}", json={"configuration": {"url": "postgresql://me@h2/d"}})
    assert ":one@h2" in await granted()
    await client.patch(f"{SOURCES}/{key}", json={"configuration": {"url": "postgresql://me:two@h2/d"}})
    assert ":two@h2" in await granted()


async def test_sources_that_cannot_be(client: httpx.AsyncClient) -> None:
    given = {
        "name": "shop",
        "source_definition_id": "postgresql",
        "configuration": {"url": "postgresql://me:hunter2@h/d"},
    }
    wrong = [
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"configuration": {"url": "postgresql://h/d", "secret": "none"}}, "configuration.secret"),
        ({"source_definition_id": "sqlite", "configuration": {"url": "sqlite:///beside.db"}}, "configuration.url"),
        ({"source_definition_id": "oracle"}, "source_definition_id"),
        ({"source_definition_id": "mysql"}, "configuration.url"),
        ({"configuration": {}}, "configuration"),
        ({"configuration": {"host": "h"}}, "configuration"),
        ({"configuration": {"host": "h", "database": "d", "port": 0}}, "configuration.port"),
        ({"configuration": "postgresql://me:hunter2@h/d"}, "configuration"),
        ({"configuration": {"url": ["postgresql://me:hunter2@h/d"]}}, "configuration.url"),
        ({"workspace_id": "other"}, "workspace_id"),
    ]
    for fields, field in wrong:
        answer = await client.post(SOURCES, json=given | fields)
        assert set(error_of(answer, 400, "INVALID_REQUEST")["details"]) == {field}
        assert "hunter2" not in answer.text
    path = f"{SOURCES}/{await source_id(client)}"
    for method, wrong_name in (("PATCH", {"name": ""}), ("PUT", given | {"name": "\t"})):
        answer = await client.request(method, path, json=wrong_name)
        assert set(error_of(answer, 400, "INVALID_REQUEST")["details"]) == {"name"}
    assert (await client.get(SOURCES)).json()["total"] == 1
    error_of(await client.post(SOURCES, json=given | {"name": "orders_db"}), 409, "CONNECTOR_SOURCE_CONFLICT")


async def test_a_source_keeps_the_name_that_connections_go_by(client: httpx.AsyncClient) -> None:
    await connected(client)
    path = f"{SOURCES}/{await source_id(client)}"
    error_of(await client.patch(path, json={"name": "other"}), 409, "CONNECTOR_SOURCE_CONFLICT")
    url = {"url": "postgresql://h/d"}
    assert set(error_of(await client.patch(path, json={"configuration": url}), 400, "INVALID_REQUEST")["details"]) == {
        "configuration.url"
    }


async def test_sources_of_others_are_not_there(world: RunningAgent, client: httpx.AsyncClient) -> None:
    await world.core.store.ensure_account("other", new_id(), "eve", NOW)
    async with world.tcp(await world.token("read", "admin", account="other")) as eve:
        key = await source_id(client)
        theirs = "/v1/organizations/other/knowledge/connectors/sources"
        assert (await eve.get(theirs)).json() == {"data": [], "total": 0}
        for method in ("GET", "DELETE"):
            error_of(await eve.request(method, f"{theirs}/{key}"), 404, "CONNECTOR_SOURCE_NOT_FOUND")
        error_of(await eve.patch(f"{theirs}/{key}", json={"name": "mine"}), 404, "CONNECTOR_SOURCE_NOT_FOUND")
