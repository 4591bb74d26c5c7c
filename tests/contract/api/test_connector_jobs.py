"""Contract 002, word by word: `/v1/organizations/{organization_id}/knowledge/connectors/jobs`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.core.records import RunQuery, RunUpdate
from agent.core.wire import WireLine
from shared.ids import new_id
from tests.contract.api.runs_made import RunMaker
from tests.contract.store.making import fence
from tests.harness.agent import NOW, RunningAgent

ROOT = "/v1/organizations/default/knowledge/connectors"
JOBS = f"{ROOT}/jobs"
SYNCED = {"rows_synced": 5000, "bytes_synced": 1048576}


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await agent.token("read", "run", "edit", "delete")) as client:
        yield client


@pytest.fixture
def make(agent: RunningAgent) -> RunMaker:
    return RunMaker(agent)


async def page(client: httpx.AsyncClient, query: str = "") -> tuple[list[str], int]:
    answer = await client.get(f"{JOBS}?{query}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"data", "total"}
    return [job["job_id"] for job in body["data"]], body["total"]


def error_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "type", "status", "details", "trace_id", "timestamp"}
    assert (error["status"], error["code"]) == (status, code), error
    assert error["type"] == ("server_error" if status >= 500 else "client_error")
    assert error["trace_id"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", error["timestamp"])
    return error


async def test_a_finished_run_is_answered_as_printed(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="kb-sync")
    run = await make.run(job, "completed", took=150, result=SYNCED)
    expected = {
        "job_id": run.id,
        "status": "succeeded",
        "job_type": "sync",
        "start_time": "2026-03-02T12:00:00Z",
        "connection_id": job.id,
        "bytes_synced": 1048576,
        "rows_synced": 5000,
        "duration": "PT2M30S",
    }
    assert (await client.get(f"{JOBS}?connection_id={job.id}")).json() == {"data": [expected], "total": 1}
    assert (await client.get(f"{JOBS}/{run.id}")).json() == expected


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "PT0S"), (0.25, "PT0.25S"), (59.999, "PT59.999S"), (60, "PT1M"), (3600, "PT1H"), (90061.5, "PT25H1M1.5S")],
)
async def test_durations(client: httpx.AsyncClient, make: RunMaker, seconds: float, told: str) -> None:
    run = await make.run(await make.job(type="kb-sync"), "completed", took=seconds)
    assert (await client.get(f"{JOBS}/{run.id}")).json()["duration"] == told


async def test_what_has_not_come_is_null(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="kb-sync")
    running = await make.run(job, "running")
    waiting = await make.run(job)
    told = {each["job_id"]: each for each in (await client.get(JOBS)).json()["data"]}
    assert (told[waiting.id]["start_time"], told[waiting.id]["duration"]) == (None, None)
    assert (told[running.id]["start_time"], told[running.id]["duration"]) == ("2026-03-02T12:00:00Z", None)
    cancelled = await make.moved(waiting, "cancelled")
    told_now = (await client.get(f"{JOBS}/{cancelled.id}")).json()
    assert (told_now["status"], told_now["start_time"], told_now["duration"]) == ("cancelled", None, "PT0S")


async def test_rows_of_a_run_that_did_not_end_well_are_those_that_were_committed(
    client: httpx.AsyncClient, make: RunMaker
) -> None:
    run = await make.run(await make.job(type="kb-sync"))
    claimed = await make.claimed(run)

    def step(position: int, origin: str, rows: int) -> dict[str, Any]:
        result = {"origin": origin, "rows_synced": rows, "bytes_synced": rows * 10}
        at = make.now.isoformat()
        return {"position": position, "key": "read", "title": "", "state": "running", "at": at, "result": result}

    for steps in ([step(2, "a", 10)], [step(2, "a", 25)], [step(4, "b", 3)]):
        await make.store.update_runs([RunUpdate(fence(claimed), steps=steps)], make.now)
        told = (await client.get(f"{JOBS}/{run.id}")).json()
        assert told["bytes_synced"] == told["rows_synced"] * 10
    assert told["rows_synced"] == 28
    await make.finish(claimed, "failed")
    assert (await client.get(f"{JOBS}/{run.id}")).json()["rows_synced"] == 28


async def test_filters(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    one, two, other = await make.job("A", "kb-sync"), await make.job("B", "kb-reset"), await make.job("C")
    done, failed = await make.run(one, "completed"), await make.run(two, "failed")
    await make.run(other, "completed")
    retrying, waiting = await make.run(one, "retrying"), await make.run(one)
    assert await page(client) == ([waiting.id, retrying.id, failed.id, done.id], 4)
    assert await page(client, f"connection_id={one.id}") == ([waiting.id, retrying.id, done.id], 3)
    assert await page(client, "job_type=reset") == ([failed.id], 1)
    assert await page(client, "job_type=sync&status=succeeded") == ([done.id], 1)
    assert await page(client, "status=pending") == ([waiting.id, retrying.id], 2)
    assert await page(client, "status=cancelled") == ([], 0)
    assert await page(client, f"connection_id={two.id}&status=failed&job_type=sync") == ([], 0)
    for nobody in (new_id(), "conn_abc123", other.id):
        assert await page(client, f"connection_id={nobody}") == ([], 0)


async def test_pages_and_totals(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="kb-sync")
    made = [(await make.run(job)).id for _ in range(25)][::-1]
    assert await page(client) == (made[:20], 25)
    assert await page(client, "limit=7&offset=21") == (made[21:], 25)
    assert await page(client, "limit=100") == (made, 25)
    assert await page(client, f"limit=1&offset=1&connection_id={job.id}") == (made[1:2], 25)
    assert await page(client, "offset=2000000000") == ([], 25)


async def test_orders(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    sync, reset = await make.job("A", "kb-sync"), await make.job("B", "kb-reset")
    slow = await make.run(sync, "completed", took=60)
    agent.clock.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
    quick = await make.run(reset, "failed", took=1)
    waiting = await make.run(sync)
    for order, ids in {
        "start_time": [slow, quick, waiting],
        "-start_time": [quick, slow, waiting],
        "duration": [quick, slow, waiting],
        "-duration": [slow, quick, waiting],
        "status": [quick, waiting, slow],
        "-status": [slow, waiting, quick],
        "job_type": [quick, waiting, slow],
        "-job_type": [waiting, slow, quick],
    }.items():
        assert (await page(client, f"order_by={order}"))[0] == [run.id for run in ids], order
        of_sync = [run.id for run in ids if run is not quick]
        for where in (f"connection_id={sync.id}", "job_type=sync", f"connection_id={sync.id}&job_type=sync"):
            assert await page(client, f"order_by={order}&{where}") == (of_sync, 2), (order, where)
            assert await page(client, f"order_by={order}&{where}&status=pending") == ([waiting.id], 1), (order, where)
        assert await page(client, f"order_by={order}&status=pending") == ([waiting.id], 1), order


async def test_date_ranges(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="kb-sync")
    old = await make.run(job)
    agent.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
    young = await make.run(job)
    assert await page(client, "created_after=2026-03-02T12:00:01Z") == ([young.id], 1)
    assert await page(client, "created_before=2026-03-02") == ([old.id], 1)
    assert await page(client, "created_after=2026-03-02&created_before=2026-03-03T12:00:00%2B00:00") == (
        [young.id, old.id],
        2,
    )
    assert await page(client, "created_after=2026-03-04") == ([], 0)


async def test_cancel(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="kb-sync")
    running = await make.run(job, "running")
    waiting = await make.run(job)
    for run in (running, waiting):
        answer = await client.delete(f"{JOBS}/{run.id}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await make.read(running)).cancel_requested_at is not None
    assert (await make.read(waiting)).state == "cancelled"
    error_of(await client.delete(f"{JOBS}/{waiting.id}"), 409, "CONNECTOR_JOB_NOT_CANCELLABLE")


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_retry(client: httpx.AsyncClient, make: RunMaker, state: str) -> None:
    job = await make.job(type="kb-reset")
    run = await make.run(job, state)
    answer = await client.post(f"{JOBS}/{run.id}/retry")
    assert answer.status_code == 200
    again = answer.json()
    assert again == {"job_id": again["job_id"], "status": "pending", "job_type": "reset", "connection_id": job.id}
    assert again["job_id"] != run.id
    assert (await make.store.get_run("default", again["job_id"])).original_run_id == run.id


@pytest.mark.parametrize("state", ["pending", "running", "retrying", "completed"])
async def test_what_has_not_failed_is_not_retried(client: httpx.AsyncClient, make: RunMaker, state: str) -> None:
    run = await make.run(await make.job(type="kb-sync"), state)
    error_of(await client.post(f"{JOBS}/{run.id}/retry"), 400, "CONNECTOR_JOB_RETRY_FAILED")
    assert len(await make.store.list_runs(RunQuery("default"))) == 1


async def test_what_lost_its_connection_is_not_retried(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="kb-sync")
    run = await make.run(job, "failed")
    assert (await client.delete(f"{ROOT}/connections/{job.id}")).status_code == 204
    error_of(await client.post(f"{JOBS}/{run.id}/retry"), 400, "CONNECTOR_JOB_RETRY_FAILED")
    assert (await page(client))[0] == [run.id]


async def test_logs(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    run = await make.run(await make.job(type="kb-sync"), "running")
    lines = [
        WireLine(at=NOW, level="warning" if number == 2 else "info", text=f"line {number}") for number in range(30)
    ]
    await agent.core.logs.append(run.id, lines, frozenset())
    body = (await client.get(f"{JOBS}/{run.id}/logs")).json()
    assert (len(body["data"]), body["total"]) == (20, 30)
    assert body["data"][2] == {"timestamp": "2026-03-02T12:00:00Z", "level": "warning", "message": "line 2"}
    body = (await client.get(f"{JOBS}/{run.id}/logs?limit=5&offset=28")).json()
    assert [line["message"] for line in body["data"]] == ["line 28", "line 29"]
    assert (await client.get(f"{JOBS}/{run.id}/logs?offset=30")).json() == {"data": [], "total": 30}


async def test_what_is_not_there_has_the_code_of_its_kind(
    agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker
) -> None:
    command = await make.run(await make.job("C"), "failed")
    for key in (new_id(), "job_abc123", "0", command.id):
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/retry"), ("GET", "/logs")):
            error_of(await client.request(method, f"{JOBS}/{key}{path}"), 404, "CONNECTOR_JOB_NOT_FOUND")
        for method, path in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/refresh"),
            ("POST", "/clear"),
            ("GET", "/timeline"),
        ):
            answer = await client.request(method, f"{ROOT}/connections/{key}{path}")
            error_of(answer, 404, "CONNECTOR_CONNECTION_NOT_FOUND")
        error_of(await client.get(f"{ROOT}/sources/{key}"), 404, "CONNECTOR_SOURCE_NOT_FOUND")
        answer = await client.post(JOBS, json={"connection_id": key, "job_type": "sync"})
        error_of(answer, 404, "CONNECTOR_CONNECTION_NOT_FOUND")
    error_of(await client.get(f"{ROOT}/nothing"), 404, "CONNECTOR_NOT_FOUND")


async def test_a_foreign_organization_is_not_there(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await agent.core.store.ensure_account("other", new_id(), "eve", NOW)
    theirs = RunMaker(agent, "other")
    run = await theirs.run(await theirs.job(type="kb-sync"), "failed")
    for organization in ("other", "nobody", "1", "default%20"):
        base = f"/v1/organizations/{organization}/knowledge/connectors"
        for path in ("/jobs", f"/jobs/{run.id}", "/connections", "/sources", f"/connections/{run.job_id}"):
            error_of(await client.get(base + path), 404, "ORGANIZATION_NOT_FOUND")
    assert await page(client) == ([], 0)
    error_of(await client.get(f"{JOBS}/{run.id}"), 404, "CONNECTOR_JOB_NOT_FOUND")
    error_of(await client.post(f"{JOBS}/{run.id}/retry"), 404, "CONNECTOR_JOB_NOT_FOUND")


async def test_who_may_not(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    async with agent.tcp() as nobody, agent.tcp(await agent.token("read")) as reader:
        error_of(await nobody.get(JOBS), 401, "UNAUTHENTICATED")
        error_of(await reader.post(JOBS, json={"connection_id": new_id(), "job_type": "sync"}), 403, "FORBIDDEN")
        error_of(await reader.delete(f"{JOBS}/{new_id()}"), 403, "FORBIDDEN")
    error_of(await client.post(f"{ROOT}/sources", json={}), 403, "FORBIDDEN")
    error_of(await client.put(JOBS), 405, "METHOD_NOT_ALLOWED")
    error_of(
        await client.post(JOBS, content=b"{}", headers={"Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE"
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("job_type=refresh", "job_type"),
        ("status=completed", "status"),
        ("order_by=name", "order_by"),
        ("order_by=--status", "order_by"),
        ("created_after=yesterday", "created_after"),
        ("created_before=99999-01-01", "created_before"),
        ("connection_id=" + "x" * 300, "connection_id"),
        ("connection_id=a%00b", "url"),
    ],
)
async def test_values_that_are_wrong_are_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    assert set(error_of(await client.get(f"{JOBS}?{query}"), 400, "INVALID_REQUEST")["details"]) == {field}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"7", b"\xff", b'{"connection_id": "a\\u0000b", "job_type": "sync"}',
     b'{"connection_id": "\\ud800", "job_type": "sync"}', b'{"connection_id": 7, "job_type": "sync"}',
     b'{"job_type": "sync"}', b'{"connection_id": "x", "job_type": "clear"}', b'{"a":' + b"[" * 10_000],
)  # fmt: skip
async def test_bodies_that_are_none_change_nothing(agent: RunningAgent, client: httpx.AsyncClient, body: bytes) -> None:
    error_of(await client.post(JOBS, content=body), 400, "INVALID_REQUEST")
    assert await agent.core.store.list_runs(RunQuery("default")) == []
