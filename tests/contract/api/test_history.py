"""A job's history: what its runs came to, in the words of contract 004."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.core.records import ClaimedRun, Fence, NewRun, Outcome, RunUpdate
from shared.ids import new_id
from shared.models import RunError
from tests.harness.agent import NOW, RunningAgent

SHELL = {"name": "Nightly dump", "type": "command", "data": {"command": "true"}}


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.local() as client:
        yield client


@pytest.fixture
async def job(client: httpx.AsyncClient) -> dict[str, Any]:
    made: dict[str, Any] = (await client.post("/api/jobs", json=SHELL)).json()
    return made


async def claimed(agent: RunningAgent, job: dict[str, Any]) -> ClaimedRun:
    store = agent.core.store
    await store.insert_runs([NewRun(new_id(), job["id"], "api", None, NOW)], NOW)
    [found] = await store.claim(["w1"], "agent-1", NOW + timedelta(minutes=1), NOW)
    run: ClaimedRun = found
    return run


async def ended(agent: RunningAgent, job: dict[str, Any], state: Any = "completed", **fields: Any) -> str:
    """A run that took ten seconds, with two steps."""
    run = await claimed(agent, job)
    fence = Fence(run.run.id, run.run.attempt, "w1")
    steps = [
        {"position": 0, "key": "read", "title": "Read the table", "state": "completed", "message": "5 rows"},
        {"position": 1, "key": "write", "title": "Write", "state": "completed" if state == "completed" else "failed"},
    ]
    steps = [step | {"started_at": NOW, "finished_at": NOW, "at": NOW} for step in steps]
    update = RunUpdate(fence, started_at=NOW, steps=steps, warnings=fields.pop("warnings", []))
    await agent.core.store.update_runs([update], NOW)
    await agent.core.store.finish([Outcome(fence, state, NOW + timedelta(seconds=10), **fields)], NOW)
    return run.run.id


async def test_a_run_that_is_over_is_history(agent: RunningAgent, client: httpx.AsyncClient, job: Any) -> None:
    run_id = await ended(agent, job, result={"rows": 5})
    page = (await client.get("/api/jobs/operator:nightly-dump/history")).json()
    assert (page["start"], page["count"], page["total"]) == (0, 1, 1)
    [past] = page["_embedded"]["inf:job-history"]
    assert past["_links"]["self"]["href"] == f"/api/jobs/{job['id']}/history/{run_id}"
    assert (past["id"], past["jobId"], past["ownerId"]) == (run_id, job["id"], job["ownerId"])
    assert (past["success"], past["warnings"]) == (True, False)
    assert past["duration"] == ["2026-03-02T12:00:00Z", "2026-03-02T12:00:10Z"]
    assert past["data"]["result"] == {"rows": 5}
    whole, read, write = past["progress"]
    assert whole["task"]["key"] == "job:progress.invoking_job"
    assert (whole["result"]["key"], whole["result"]["status"]) == ("job:status.success", "success")
    assert read["task"] == {"key": "job:steps.read", "opts": {"name": "Read the table"}}
    assert read["result"] == {"key": None, "message": "5 rows", "success": True, "status": "success"}
    assert write["result"]["key"] == "job:status.success"
    assert (await client.get(past["_links"]["self"]["href"])).json() == past


async def test_a_failure_says_why_and_warnings_show(agent: RunningAgent, client: httpx.AsyncClient, job: Any) -> None:
    error = RunError(kind="exit_status", message="it ended with 3")
    failed = await ended(agent, job, "failed", error=error)
    warned = await ended(agent, job, warnings=["2 rows have no date"])
    first = (await client.get(f"/api/jobs/{job['id']}/history/{failed}")).json()
    assert first["success"] is False
    assert first["progress"][0]["result"] == {
        "key": "job:status.error", "message": "it ended with 3", "success": False, "status": "error"
    }  # fmt: skip
    assert first["progress"][2]["result"]["status"] == "error"
    other = (await client.get(f"/api/jobs/{job['id']}/history/{warned}")).json()
    assert (other["success"], other["warnings"]) == (True, True)
    assert other["progress"][0]["result"]["status"] == "warning"
    assert other["data"]["warnings"] == ["2 rows have no date"]


async def test_a_run_that_never_began_took_no_time(client: httpx.AsyncClient, job: Any) -> None:
    run = (await client.post(f"/api/jobs/{job['id']}")).json()
    await client.post(f"/api/runs/{run['id']}/_cancel")
    past = (await client.get(f"/api/jobs/{job['id']}/history/{run['id']}")).json()
    assert past["duration"][0] == past["duration"][1]
    assert (past["success"], past["progress"][0]["result"]["key"]) == (False, "job:status.cancelled")


async def test_what_is_not_over_is_no_history(agent: RunningAgent, client: httpx.AsyncClient, job: Any) -> None:
    running = (await claimed(agent, job)).run.id
    pending = (await client.post(f"/api/jobs/{job['id']}")).json()["id"]
    for run_id in (running, pending, new_id()):
        assert (await client.get(f"/api/jobs/{job['id']}/history/{run_id}")).status_code == 404
        assert (await client.delete(f"/api/jobs/{job['id']}/history/{run_id}")).status_code == 404
    assert (await client.get(f"/api/jobs/{job['id']}/history")).json()["total"] == 0
    assert (await client.get(f"/api/runs/{running}")).json()["state"] == "running"


async def test_pages_lead_on_and_back(agent: RunningAgent, client: httpx.AsyncClient, job: Any) -> None:
    made = [await ended(agent, job) for _ in range(5)]
    seen: list[str] = []
    path = f"/api/jobs/{job['id']}/history?limit=2"
    while path:
        page = (await client.get(path)).json()
        assert page["total"] == 5
        seen += [past["id"] for past in page["_embedded"]["inf:job-history"]]
        path = page["_links"].get("next", {}).get("href")
    assert seen == made[::-1]
    back = (await client.get(page["_links"]["prev"]["href"])).json()
    assert [past["id"] for past in back["_embedded"]["inf:job-history"]] == [made[2], made[1]]
    up = (await client.get(f"/api/jobs/{job['id']}/history", params={"sort": "createdAt"})).json()
    assert [past["id"] for past in up["_embedded"]["inf:job-history"]] == made
    assert (await client.get(f"/api/jobs/{job['id']}/history", params={"sort": "name"})).status_code == 400


async def test_a_deleted_run_is_gone_everywhere(agent: RunningAgent, client: httpx.AsyncClient, job: Any) -> None:
    heard: list[Any] = []
    gone, kept = await ended(agent, job), await ended(agent, job)
    agent.core.store.subscribe(lambda events: heard.extend(events))
    assert (await client.delete(f"/api/jobs/{job['id']}/history/{gone}")).status_code == 204
    assert (await client.delete(f"/api/jobs/{job['id']}/history/{gone}")).status_code == 404
    assert (await client.get(f"/api/runs/{gone}")).status_code == 404
    assert (await client.get(f"/api/jobs/{job['id']}/history")).json()["total"] == 1
    assert (await client.get(f"/api/runs/{kept}")).status_code == 200
    assert [(event.kind, event.data) for event in heard] == [("run.deleted", {"id": gone, "jobId": job["id"]})]
    assert await agent.core.store.gone_runs(10) == [gone]


async def test_history_belongs_to_its_job(agent: RunningAgent, client: httpx.AsyncClient, job: Any) -> None:
    other = (await client.post("/api/jobs", json=SHELL | {"name": "Other"})).json()
    run_id = await ended(agent, job)
    assert (await client.get(f"/api/jobs/{other['id']}/history/{run_id}")).status_code == 404
    assert (await client.delete(f"/api/jobs/{other['id']}/history/{run_id}")).status_code == 404
    async with agent.tcp(await agent.token("read", "edit")) as reader:
        assert (await reader.delete(f"/api/jobs/{job['id']}/history/{run_id}")).status_code == 403
        assert (await reader.get(f"/api/jobs/{job['id']}/history/{run_id}")).status_code == 200
