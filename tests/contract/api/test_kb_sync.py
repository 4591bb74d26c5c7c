"""Contract 000, word by word: `POST /jobs/create`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.api.conftest import make_world
from tests.harness.agent import NOW, RunningAgent, running_agent

PRINTED: dict[str, Any] = {
    "job_name": "sync_orders",
    "source_table": "orders_db.orders",
    "kb_name": "orders_kb",
    "content_columns": ["product", "description"],
    "filter_column": "created_at",
    "interval": "10 MINUTES",
    "start_time": "2025-06-19T18:00:00",
    "end_time": "2025-06-20T18:00:00",
}
AHEAD = PRINTED | {"start_time": "2026-03-03T18:00:00", "end_time": "2026-03-04T18:00:00"}


@pytest.fixture
async def client(world: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with world.tcp(await world.token("read", "edit", "delete")) as client:
        yield client


async def create(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    return await client.post("/jobs/create", json=body)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    error: dict[str, Any] = body["error"]
    return error


async def test_a_job_ahead_is_scheduled_as_documented(client: httpx.AsyncClient) -> None:
    answer = await create(client, AHEAD)
    assert answer.status_code == 201
    body = answer.json()
    job_id = body["data"].pop("job_id")
    assert body == {
        "success": True,
        "message": "Job created successfully",
        "data": {
            "job_name": "sync_orders",
            "status": "scheduled",
            "created_at": "2026-03-02T12:00:00Z",
            "next_run": "2026-03-03T18:00:00Z",
        },
    }
    job = (await client.get(f"/api/jobs/{job_id}")).json()
    assert job["type"] == "kb-sync"
    assert job["data"]["source_table"] == "orders_db.orders"
    assert job["data"]["content_columns"] == ["product", "description"]
    assert (job["intervalType"], job["interval"]) == ("simple", "10 minutes")


async def test_the_printed_example_is_accepted_and_says_that_it_will_not_run(client: httpx.AsyncClient) -> None:
    answer = await create(client, PRINTED)
    assert answer.status_code == 201
    body = answer.json()
    assert body["data"]["status"] == "expired"
    assert body["data"]["next_run"] is None
    assert "will not run" in body["message"]


async def test_a_second_job_of_the_name_is_a_duplicate(client: httpx.AsyncClient) -> None:
    assert (await create(client, AHEAD)).status_code == 201
    answer = await create(client, AHEAD)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "DUPLICATE_JOB"
    assert "sync_orders" in error_of(answer)["message"]


async def test_names_that_differ_only_in_signs_are_two_jobs(client: httpx.AsyncClient) -> None:
    for name in ("sync orders", "sync-orders", "синхронизация", "同期"):
        assert (await create(client, AHEAD | {"job_name": name})).status_code == 201


async def test_faults_of_the_body_and_of_the_world_are_told_together(client: httpx.AsyncClient) -> None:
    assert (await create(client, AHEAD)).status_code == 201
    answer = await create(client, AHEAD | {"interval": "often", "kb_name": "nobody_knows"})
    error = error_of(answer)
    assert error["code"] == "INVALID_REQUEST"
    assert [detail.partition(":")[0].split()[0] for detail in error["details"]] == ["invalid", "a", "kb_name"]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1 MINUTE", "1 minutes"),
        ("5 minutes", "5 minutes"),
        ("  6   Hours ", "6 hours"),
        ("7 DAYS", "7 days"),
        ("hourly", "1 hour"),
        ("DAILY", "1 day"),
        ("Weekly", "1 week"),
    ],
)
async def test_every_documented_interval_is_understood(client: httpx.AsyncClient, written: str, stored: str) -> None:
    answer = await create(client, AHEAD | {"interval": written})
    assert answer.status_code == 201
    job = (await client.get(f"/api/jobs/{answer.json()['data']['job_id']}")).json()
    assert job["interval"] == stored


@pytest.mark.parametrize(
    ("start", "end", "next_run"),
    [
        ("2026-03-03T18:00:00Z", "2026-04-02T18:00:00Z", "2026-03-03T18:00:00Z"),
        ("2026-03-03T18:00:00+02:00", "2026-03-04T18:00:00", "2026-03-03T16:00:00Z"),
        ("2026-03-03", "2026-04-01", "2026-03-03T00:00:00Z"),
        ("20260303T180000", "20260304T180000Z", "2026-03-03T18:00:00Z"),
    ],
    ids=["exactly 30 days", "an offset", "dates alone", "the basic form"],
)
async def test_windows(client: httpx.AsyncClient, start: str, end: str, next_run: str) -> None:
    answer = await create(client, AHEAD | {"start_time": start, "end_time": end})
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"]["next_run"] == next_run


@pytest.mark.parametrize(
    ("before", "next_run"),
    [
        (timedelta(0), NOW),
        (timedelta(seconds=45), NOW - timedelta(seconds=45)),
        (timedelta(seconds=60), NOW - timedelta(seconds=60)),
        (timedelta(seconds=61), NOW - timedelta(seconds=61) + timedelta(minutes=10)),
        (timedelta(minutes=10, seconds=30), NOW + timedelta(minutes=9, seconds=30)),
    ],
    ids=["now", "45 s ago", "60 s ago", "61 s ago", "a boundary 30 s ago"],
)
async def test_a_start_just_before_receipt_fires_at_once(
    client: httpx.AsyncClient, before: timedelta, next_run: Any
) -> None:
    answer = await create(client, AHEAD | {"start_time": (NOW - before).isoformat()})
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"]["next_run"] == next_run.isoformat().replace("+00:00", "Z")
    job = (await client.get(f"/api/jobs/{answer.json()['data']['job_id']}")).json()
    assert (job["startOn"], job["endOn"]) == ((NOW - before).isoformat().replace("+00:00", "Z"), "2026-03-04T18:00:00Z")


async def test_unknown_fields_are_ignored(client: httpx.AsyncClient) -> None:
    assert (await create(client, AHEAD | {"priority": 3, "": {}})).status_code == 201


async def test_the_limit_of_active_jobs_and_how_a_slot_is_freed(tmp_path: Path) -> None:
    async with running_agent(tmp_path / "d", max_active_jobs=2) as agent:
        await make_world(agent, tmp_path)
        async with agent.tcp(await agent.token("read", "edit", "delete")) as client:
            first = await create(client, AHEAD | {"job_name": "a"})
            assert (await create(client, AHEAD | {"job_name": "b"})).status_code == 201
            refused = await create(client, AHEAD | {"job_name": "c"})
            assert refused.status_code == 429
            error = error_of(refused)
            assert error["code"] == "RATE_LIMIT_EXCEEDED"
            assert "DELETE /api/jobs/{id}" in error["message"]
            assert (await create(client, PRINTED | {"job_name": "over"})).status_code == 201
            assert (await client.delete(f"/api/jobs/{first.json()['data']['job_id']}")).status_code == 204
            assert (await create(client, AHEAD | {"job_name": "c"})).status_code == 201


async def test_the_default_limit_is_100(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(create(client, AHEAD | {"job_name": f"job {number}"}) for number in range(103)))
    assert sorted(answer.status_code for answer in answers) == [201] * 100 + [429] * 3


async def test_the_other_limits_are_settings(tmp_path: Path) -> None:
    async with running_agent(tmp_path / "d", min_interval="5 minutes", max_job_duration="1 day") as agent:
        await make_world(agent, tmp_path)
        async with agent.tcp(await agent.token("edit")) as client:
            short = await create(client, AHEAD | {"interval": "4 MINUTES"})
            assert error_of(short)["details"] == ["interval must be at least 5 minutes"]
            long = await create(client, AHEAD | {"end_time": "2026-03-05T18:00:00"})
            assert error_of(long)["details"] == ["end_time must be at most 1 days after start_time"]


async def test_without_the_scope_it_is_forbidden(world: RunningAgent) -> None:
    async with world.tcp(await world.token("read")) as client:
        answer = await create(client, AHEAD)
        assert answer.status_code == 403
        assert error_of(answer)["code"] == "FORBIDDEN"
