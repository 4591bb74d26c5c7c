"""Lists of jobs as contract 004 has them: HAL pages, and all at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from agent.core.jobs.overview import AT_ONCE
from agent.store import STORE_FILE
from tests.harness.agent import RunningAgent
from tests.harness.crowd import copy_jobs

SHELL = {"type": "command", "data": {"command": "true"}}


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.local() as client:
        yield client


async def made(client: httpx.AsyncClient, name: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/api/jobs", json=SHELL | {"name": name} | fields)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def test_pages_lead_on_and_back_with_what_was_asked(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await made(client, f"Job {number}", tags=["x y"])
    await made(client, "Other")
    path = "/api/jobs?limit=2&sort=-name&q=job&filter=tag%3A%22x+y%22"
    seen: list[str] = []
    while path:
        page = (await client.get(path)).json()
        assert page["total"] == 5
        assert page["count"] == len(page["_embedded"]["inf:job"])
        seen += [job["name"] for job in page["_embedded"]["inf:job"]]
        path = page["_links"].get("next", {}).get("href")
    assert seen == [f"Job {number}" for number in (4, 3, 2, 1, 0)]
    back = (await client.get(page["_links"]["prev"]["href"])).json()
    assert (back["start"], [job["name"] for job in back["_embedded"]["inf:job"]]) == (2, ["Job 2", "Job 1"])
    assert "prev" not in (await client.get("/api/jobs")).json()["_links"]


async def test_each_job_leads_to_itself_and_can_be_sent_back(client: httpx.AsyncClient) -> None:
    job = await made(client, "Nightly dump")
    [listed] = (await client.get("/api/jobs")).json()["_embedded"]["inf:job"]
    assert listed == job
    assert (job["naturalId"], job["lockedAt"]) == ("operator:nightly-dump", None)
    for link in ("self", "inf:job-history", "inf:job-revision"):
        assert (await client.get(job["_links"][link]["href"])).status_code == 200
    assert (await client.put(job["_links"]["self"]["href"], json=job)).status_code == 200
    assert (await client.post("/api/jobs", json=job | {"name": "Copy", "slug": None})).status_code == 201


async def test_all_jobs_at_once_say_what_may_be_done(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/jobs-list")).json() == []
    job = await made(client, "Beta", tags=["b", "a"], enabled=False)
    await made(client, "alpha")
    first, second = (await client.get("/api/jobs-list")).json()
    assert first["name"] == "alpha"
    assert second == {
        "id": job["id"], "name": "Beta", "type": "command", "enabled": False, "ownerId": job["ownerId"],
        "ownerName": "operator", "naturalId": "operator:beta", "tags": ["a", "b"], "sharing": [],
        "permissions": {"edit": True, "write": True, "delete": True, "share": True},
    }  # fmt: skip
    async with agent.tcp(await agent.token("read", "edit")) as editor:
        [_, seen] = (await editor.get("/api/jobs-list")).json()
        assert seen["permissions"] == {"edit": True, "write": False, "delete": False, "share": True}


async def test_shares_stand_with_the_job(client: httpx.AsyncClient) -> None:
    job = await made(client, "Nightly dump")
    shared = await client.post(
        f"/api/jobs/{job['id']}/shares", json={"principalId": "everyone", "accessLevel": "runner"}
    )
    assert shared.status_code in (200, 201), shared.text
    [listed] = (await client.get("/api/jobs-list")).json()
    assert listed["sharing"] == [{"principalId": "everyone", "accessLevel": 2, "level": "runner"}]


async def test_however_many_there_are_none_is_missing_and_none_twice(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    await made(client, "Job")
    total = 2 * AT_ONCE + 1
    copy_jobs(agent.core.settings.data_dir / STORE_FILE, total)
    listed = (await client.get("/api/jobs-list")).json()
    assert len({job["id"] for job in listed}) == len(listed) == total


async def test_there_is_a_template_for_each_type(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/job-templates")).json()["items"]
    assert {"command", "kb-sync", "api-call"} <= {item["type"] for item in items}
    for item in items:
        assert item == (await client.get(f"/api/job-templates/{item['type']}")).json()
        assert item["schema"]["type"] == "object"
        drafted = await client.post("/api/drafts", json=item["definition"])
        assert drafted.status_code == 201, drafted.text
        assert drafted.json()["data"] == item["definition"]["data"]
    assert (await client.get("/api/job-templates/nothing")).status_code == 404
