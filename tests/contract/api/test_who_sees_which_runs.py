"""What a user may see of the runs of an account, by each contract that lists or names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from agent.core.driving import Needs
from shared.models import KnowledgeBaseInput, Run
from tests.contract.api.runs_made import RunMaker
from tests.harness.agent import RunningAgent
from tests.harness.people import add_token, add_user

ROOT = "/v1/organizations/default/knowledge/connectors"
LIST = {"state": ["QUEUED", "STARTED", "COMPLETED", "FAILED"]}


@dataclass
class Found:
    first: list[str]
    second: list[str]
    connectors: list[str]
    total: int
    connections: list[str]


async def found(client: httpx.AsyncClient, corpus: int) -> Found:
    first = (await client.post("/v1/list-jobs", json=LIST)).json()["job"]
    again = (await client.post("/v1/list-jobs", json=LIST | {"corpusId": [corpus]})).json()["job"]
    assert first == again
    second = (await client.get("/v2/jobs")).json()["jobs"]
    jobs = (await client.get(f"{ROOT}/jobs")).json()
    sorted_ = (await client.get(f"{ROOT}/jobs?order_by=-start_time")).json()
    assert sorted_["total"] == jobs["total"]
    assert {each["job_id"] for each in sorted_["data"]} == {each["job_id"] for each in jobs["data"]}
    connections = (await client.get(f"{ROOT}/connections")).json()
    assert connections["total"] == len(connections["data"])
    return Found(
        [each["id"] for each in first],
        [each["id"] for each in second],
        [each["job_id"] for each in jobs["data"]],
        jobs["total"],
        [each["connection_id"] for each in connections["data"]],
    )


@pytest.fixture
async def corpus(agent: RunningAgent) -> int:
    base = KnowledgeBaseInput(name="orders_kb")
    return int((await agent.core.world.create_knowledge_base(agent.core.gate.local(), base)).number)


async def of(make: RunMaker, name: str) -> Run:
    data: dict[str, Any] = {
        "source_table": "a.b",
        "knowledge_base": "orders_kb",
        "content_columns": ["c"],
        "filter_column": "d",
    }
    return await make.run(await make.job(name, "kb-sync", Needs(knowledge_bases=("orders_kb",)), data=data), "failed")


async def test_only_ones_own_and_what_is_shared(agent: RunningAgent, corpus: int) -> None:
    bob, make = await add_user(agent), RunMaker(agent)
    mine, theirs, shared = (
        await of(RunMaker(agent, owner=bob.id), "Mine"),
        await of(make, "Theirs"),
        await of(make, "Shared"),
    )
    async with agent.local() as operator:
        given = {"principalId": "bob", "accessLevel": "reader"}
        answer = await operator.post(f"/api/jobs/{shared.job_id}/shares", json=given)
        assert answer.is_success, answer.text
    async with agent.tcp(await add_token(agent, "bob", "read", "run")) as client:
        seen = await found(client, corpus)
        expected = [shared.id, mine.id]
        assert (seen.first, seen.second, seen.connectors, seen.total) == (expected, expected, expected, 2)
        assert sorted(seen.connections) == sorted([shared.job_id, mine.job_id])
        for path in ("/v1/api/jobs/{}", "/v2/jobs/{}", f"{ROOT}/jobs/{{}}", f"{ROOT}/jobs/{{}}/logs"):
            assert (await client.get(path.format(mine.id))).status_code == 200
            assert (await client.get(path.format(shared.id))).status_code == 200
            assert (await client.get(path.format(theirs.id))).status_code == 404
        # who may read it may not run it
        for path in (
            f"/v1/api/jobs/{shared.id}/rerun",
            f"{ROOT}/jobs/{shared.id}/retry",
            f"{ROOT}/connections/{shared.job_id}/clear",
        ):
            assert (await client.post(path)).status_code == 403, path
        for path in (
            f"/v1/api/jobs/{theirs.id}/rerun",
            f"{ROOT}/jobs/{theirs.id}/retry",
            f"{ROOT}/connections/{theirs.job_id}/clear",
        ):
            assert (await client.post(path)).status_code == 404, path
        assert (await client.get(f"{ROOT}/jobs?connection_id={theirs.job_id}")).json() == {"data": [], "total": 0}
        assert (await client.get(f"{ROOT}/connections/{theirs.job_id}/timeline")).status_code == 404
        again = await client.post(f"{ROOT}/jobs/{mine.id}/retry")
        assert again.status_code == 200, again.text
    async with agent.tcp(await agent.token("read", "admin")) as admin:
        assert (await found(admin, corpus)).total == 4


async def test_what_a_sync_brought_in_is_emptied_by_its_editors_alone(agent: RunningAgent, corpus: int) -> None:
    await add_user(agent)
    job_id = (await of(RunMaker(agent), "Shared")).job_id
    shares, clear = f"/api/jobs/{job_id}/shares", f"{ROOT}/connections/{job_id}/clear"
    async with agent.local() as operator, agent.tcp(await add_token(agent, "bob", "read", "run")) as client:
        await operator.post(shares, json={"principalId": "bob", "accessLevel": "runner"})
        refused = await client.post(clear)
        assert (refused.status_code, "as editor" in refused.text) == (403, True)
        emptied = (await operator.post(clear)).json()["job_id"]
        assert (await operator.post(f"/api/runs/{emptied}/_cancel")).is_success
        for again in (f"{ROOT}/jobs/{emptied}/retry", f"/api/runs/{emptied}/_rerun", f"/v1/api/jobs/{emptied}/rerun"):
            assert (await client.post(again)).status_code == 403, again
        refreshed = await client.post(f"{ROOT}/connections/{job_id}/refresh")
        assert refreshed.status_code == 201, refreshed.text
        await operator.post(shares, json={"principalId": "bob", "accessLevel": "editor"})
        assert (await client.post(f"{ROOT}/jobs/{emptied}/retry")).status_code == 200
        assert (await client.post(clear)).status_code == 201
