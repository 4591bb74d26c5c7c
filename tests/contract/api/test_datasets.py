"""`/api/datasets` and `/api/jobs/{id}/datasets`: what is taken, refused, and kept from those whom it does not concern."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.core.wire import ConnectionGrant, DatasetGrant
from agent.resources.datasets.refreshing import refresh
from agent.resources.knowledge.lock import writer_lock
from shared.models import Job
from tests.harness.agent import RunningAgent
from tests.harness.context import RecordingContext

QUERY = "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL"


async def make(world: RunningAgent, **changes: Any) -> dict[str, Any]:
    given = {"name": "orders", "connection": "orders_db", "query": QUERY} | changes
    async with world.local() as http:
        answer = await http.post("/api/datasets", json=given)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def fill(world: RunningAgent, dataset: dict[str, Any], folder: Path) -> None:
    """As a worker does it; this agent has none."""
    core = world.core
    stored = await core.store.get_dataset("default", dataset["id"])
    source = await core.store.get_connection("default", "orders_db")
    path = world.agent.core.settings.data_dir / "datasets" / "default" / stored.id
    grant = DatasetGrant(id=stored.id, name=stored.name, path=str(path), connection="orders_db", query=stored.query)
    connection = ConnectionGrant(id=source.id, name=source.name, kind=source.kind, url=source.url)
    context = RecordingContext(folder, connections={"orders_db": connection}, datasets={"orders": grant})
    await asyncio.to_thread(refresh, context, grant, "run-1")


@pytest.mark.parametrize(("given", "field"), [
    ({"name": "a/b"}, "name"),
    ({"name": ""}, "name"),
    ({"query": "DELETE FROM orders"}, "query"),
    ({"query": "-- SELECT 1"}, "query"),
    ({"query": "/**/" * 10_000 + "-- \n" * 10_000 + "x"}, "query"),  # at once, or never
    ({"query": None}, ""),
    ({"connection": "nowhere"}, "connection"),
    ({"parameters": {"1x": 1}}, "parameters.1x"),
    ({"parameters": {"x": [1]}}, "parameters.x"),
    ({"keep": {"count": 0}}, "keep.count"),
    ({"keep": {"age": "long"}}, "keep.age"),
    ({"surprise": 1}, "surprise"),
])  # fmt: skip
async def test_what_is_wrong_is_named(world: RunningAgent, given: dict[str, Any], field: str) -> None:
    async with world.local() as http:
        body = {"name": "x", "connection": "orders_db", "query": QUERY} | given
        answer = await http.post("/api/datasets", json=body)
        assert answer.status_code == 400, answer.text
        assert any(fault["field"].startswith(field) for fault in answer.json()["error"]["faults"]), answer.text
        assert (await http.get("/api/datasets")).json() == {"items": []}


async def test_it_is_replaced_by_its_version_and_what_was_read_can_be_sent_back(world: RunningAgent) -> None:
    made = await make(world)
    async with world.local() as http:
        assert (await http.post("/api/datasets", json={"name": "orders"})).status_code == 409
        read = await http.get("/api/datasets/orders")
        assert (read.headers["ETag"], read.json()["version"]) == ('"1"', 1)
        answer = await http.put(
            "/api/datasets/orders", json=read.json() | {"description": "new"}, headers={"If-Match": '"1"'}
        )
        assert (answer.status_code, answer.json()["description"], answer.json()["version"]) == (200, "new", 2)
        late = await http.put(f"/api/datasets/{made['id']}", json=read.json(), headers={"If-Match": '"1"'})
        assert late.status_code == 409
        assert (await http.delete("/api/datasets/orders", headers={"If-Match": '"1"'})).status_code == 409
        assert (await http.delete("/api/datasets/orders")).status_code == 204
        assert (await http.get("/api/datasets/orders")).status_code == 404


async def test_rows_are_read_by_page_and_condition_and_reach_nothing_else(world: RunningAgent, tmp_path: Path) -> None:
    made = await make(world)
    async with world.local() as http:
        assert (await http.get("/api/datasets/orders/rows")).status_code == 404
        await fill(world, made, tmp_path)
        page = (await http.get("/api/datasets/orders/rows", params={"limit": 1, "offset": 1})).json()
        assert (page["rows"], page["total"], page["start"]) == ([[2, None]], 2, 1)
        assert [column["type"] for column in page["columns"]] == ["BIGINT", "VARCHAR"]
        found = (await http.get("/api/datasets/orders/rows", params={"where": "b IS NULL -- why"})).json()
        assert found["rows"] == [[2, None]]
        for where in (
            "nothing = 1", "1=1; DROP VIEW snapshot", "1=1) UNION SELECT * FROM read_csv('/etc/passwd'",
            "a IN (SELECT length(content) FROM read_text('/etc/passwd'))", "a IN (FROM glob('/*'))", "(", "",
            f"a IN (SELECT 1 FROM '{world.agent.core.settings.data_dir}/secrets.key')",
        ):  # fmt: skip
            refused = await http.get("/api/datasets/orders/rows", params={"where": where})
            assert refused.status_code == 400, (where, refused.text)
            assert refused.json()["error"]["faults"][0]["field"].endswith("where"), refused.text
        assert (await http.get("/api/datasets/orders/rows", params={"limit": 1001})).status_code == 400
        assert (await http.get("/api/datasets/orders/rows", params={"snapshot": "none"})).status_code == 404
        [snapshot] = (await http.get("/api/datasets/orders/snapshots")).json()["items"]
        assert (await http.delete(f"/api/datasets/orders/snapshots/{snapshot['id']}")).status_code == 204
        assert (await http.delete(f"/api/datasets/orders/snapshots/{snapshot['id']}")).status_code == 404
        assert (await http.get("/api/datasets/orders")).json()["snapshot"] is None


async def test_a_condition_that_takes_for_ever_ends(world: RunningAgent, tmp_path: Path) -> None:
    made = await make(world)
    await fill(world, made, tmp_path)
    world.agent.core.datasets._snapshots._seconds = 0.3
    where = "(SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range) > 0"
    async with world.local() as http:
        refused = await http.get("/api/datasets/orders/rows", params={"where": where})
    assert (refused.status_code, "narrow the condition" in refused.text) == (400, True)


async def test_it_is_not_deleted_under_a_run_that_writes_to_it(world: RunningAgent, tmp_path: Path) -> None:
    made = await make(world)
    folder = world.agent.core.settings.data_dir / "datasets" / "default" / made["id"]
    async with world.local() as http:
        folder.mkdir(parents=True)
        with writer_lock(folder, RecordingContext(tmp_path), "orders", "dataset"):
            refused = await http.delete("/api/datasets/orders")
            assert (refused.status_code, "run run-1" in refused.text) == (409, True)
        assert (await http.delete("/api/datasets/orders")).status_code == 204
    assert not folder.exists()


async def test_who_may_only_read_changes_nothing(world: RunningAgent) -> None:
    made = await make(world)
    async with world.tcp(await world.token("read")) as http:
        assert (await http.get(f"/api/datasets/{made['id']}")).status_code == 200
        for method, path in (
            ("POST", "/api/datasets"), ("PUT", "/api/datasets/orders"), ("DELETE", "/api/datasets/orders"),
            ("POST", "/api/datasets/orders/_refresh"), ("DELETE", "/api/datasets/orders/snapshots/x"),
        ):  # fmt: skip
            answer = await http.request(method, path, json={"name": "x"})
            assert answer.status_code == 403, (method, path, answer.text)
    async with world.tcp() as http:
        assert (await http.get("/api/datasets")).status_code == 401


async def test_a_refresh_finds_its_job_again(world: RunningAgent) -> None:
    await make(world)
    async with world.local() as http:
        runs = [(await http.post("/api/datasets/orders/_refresh")).json() for _ in range(2)]
        assert len({run["jobId"] for run in runs}) == 1
        job = Job.model_validate((await http.get(f"/api/jobs/{runs[0]['jobId']}")).json())
        assert (job.name, job.type, job.data, job.interval_type) == (
            "Refresh orders", "dataset-refresh", {"dataset": "orders"}, "none",
        )  # fmt: skip
        await http.post("/api/datasets", json={"name": "loose"})
        assert (await http.post("/api/datasets/loose/_refresh")).status_code == 400


async def test_a_job_that_names_no_dataset_of_the_account_is_refused(world: RunningAgent) -> None:
    made = await make(world)
    async with world.local() as http:
        job = {"name": "J", "type": "dataset-refresh", "data": {"dataset": "nothing"}}
        answer = await http.post("/api/jobs", json=job)
        assert answer.json()["error"]["faults"][0]["field"] == "data.dataset"
        attached = [
            {"alias": "a", "datasetId": "nothing"},
            {"alias": "b", "datasetId": made["id"]},
            {"alias": "b", "datasetId": "orders"},
        ]
        job |= {"data": {"dataset": "b"}, "datasets": attached}
        answer = await http.post("/api/jobs", json=job)
        assert [fault["field"] for fault in answer.json()["error"]["faults"]] == [
            "datasets.0.datasetId",
            "datasets.2.alias",
        ]
        job["datasets"] = [{"alias": "b", "datasetId": made["id"]}]
        assert (await http.post("/api/jobs", json=job)).status_code == 201
        action = {"type": "dataset", "data": {"operation": "query", "dataset": "b", "max_age": "1 h"}}
        answer = await http.post("/api/jobs", json=job | {"name": "K", "actions": [action]})
        assert "`max_age` is for the operation snapshot" in answer.text


async def test_drafts_have_datasets_that_their_jobs_do_not_have_yet(world: RunningAgent) -> None:
    made = await make(world)
    async with world.local() as http:
        job = (
            await http.post("/api/jobs", json={"name": "J", "type": "dataset-refresh", "data": {"dataset": "orders"}})
        ).json()
        draft = (await http.post(f"/api/jobs/{job['id']}/_edit")).json()
        given = {"alias": "bought", "datasetId": made["id"]}
        answer = await http.post(f"/api/jobs/{draft['id']}/datasets", json=given)
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == f"/api/jobs/{draft['id']}/datasets/bought"
        assert (await http.post(f"/api/jobs/{draft['id']}/datasets", json=given)).status_code == 409
        assert (await http.get(f"/api/jobs/{job['id']}/datasets")).json()["count"] == 0
        assert (await http.get(f"/api/jobs/{job['id']}/datasets/bought")).status_code == 404
        assert (await http.post(f"/api/jobs/{job['id']}/_commit")).status_code == 200
        read = (await http.get(f"/api/jobs/{job['id']}/datasets/bought")).json()
        assert (read["alias"], read["datasetName"], read["permitted"]) == ("bought", "orders", True)
        assert read["_links"]["inf:dataset"]["href"] == f"/api/datasets/{made['id']}"
        again = await http.put(f"/api/jobs/{job['id']}/datasets/bought", json=read | {"index": 3})
        assert (again.status_code, again.json()["index"]) == (200, 3)
        wrong = await http.put(f"/api/jobs/{job['id']}/datasets/bought", json={"alias": "a b", "datasetId": "x"})
        assert wrong.status_code == 400
