"""Datasets through a real agent: refreshed by jobs, read by pages, attached to jobs, kept within their bounds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, price REAL)")
        database.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(n, f"lamp {n}", n / 4) for n in range(100)])
        database.commit()
    return path


@pytest.fixture
def agent(tmp_path: Path, source: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "data", "--workers", "2") as running:
        running.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{source}"}, expect=201)
        given = {
            "name": "orders",
            "connection": "shop",
            "query": "SELECT * FROM orders WHERE id >= :least ORDER BY id",
            "parameters": {"least": 10},
            "keep": {"count": 2},
        }
        running.call("POST", "/api/datasets", given, expect=201)
        yield running


def add(source: Path, number: int) -> None:
    with closing(sqlite3.connect(source, timeout=10)) as database:
        database.execute("INSERT INTO orders VALUES (?, 'late', 1.0)", (number,))
        database.commit()


def refresh(agent: AgentProcess) -> dict[str, Any]:
    run = agent.call("POST", "/api/datasets/orders/_refresh", expect=202)
    return agent.run_until(run["id"], "completed", "failed")


def test_a_refresh_stores_what_the_query_finds_and_tells_everybody(agent: AgentProcess, source: Path) -> None:
    ended = refresh(agent)
    assert (ended["state"], ended["result"]["rows"]) == ("completed", 90)
    assert ended["progress"] == {"done": 90, "total": 90, "unit": "rows", "note": ""}
    dataset = agent.call("GET", "/api/datasets/orders")
    assert dataset["snapshot"]["id"] == ended["result"]["snapshot"]
    assert [(one["name"], one["type"]) for one in dataset["snapshot"]["columns"]] == [
        ("id", "BIGINT"), ("product", "VARCHAR"), ("price", "DOUBLE"),
    ]  # fmt: skip
    page = agent.call("GET", "/api/datasets/orders/rows?limit=2&offset=1&where=price%20%3E%2020")
    assert (page["total"], page["start"], page["rows"]) == (19, 1, [[82, "lamp 82", 20.5], [83, "lamp 83", 20.75]])

    def listed() -> bool:
        [found] = agent.call("GET", "/api/datasets")["items"]
        return bool(found["snapshot"] and found["snapshot"]["rows"] == 90)

    until(listed, "the list knows of the snapshot")
    kinds = [event["kind"] for event in events(agent)]
    assert kinds.count("dataset.changed") >= 2
    for number in range(100, 103):
        add(source, number)
        assert refresh(agent)["result"]["rows"] == number - 9
    kept = agent.call("GET", "/api/datasets/orders/snapshots")["items"]
    assert [one["rows"] for one in kept] == [93, 92]
    first = agent.call("GET", f"/api/datasets/orders/rows?limit=1&snapshot={kept[1]['id']}")
    assert (first["snapshot"], first["total"]) == (kept[1]["id"], 92)


def test_a_job_has_its_datasets_by_alias_and_snapshots_around_its_runs(agent: AgentProcess, source: Path) -> None:
    dataset = agent.call("GET", "/api/datasets/orders")
    job = {"name": "Report", "type": "snapshot-cleanup", "data": {"datasets": ["orders"], "keep_count": 1}}
    made = agent.call("POST", "/api/jobs", job, expect=201)
    place = f"/api/jobs/{made['id']}/datasets"
    given = {"alias": "bought", "datasetId": dataset["id"], "snapshots": {"when": "before", "snapshotDatasets": []}}
    attached = agent.call("POST", place, given, expect=201)
    assert (attached["datasetName"], attached["permitted"]) == ("orders", True)
    refused = agent.call("POST", place, given, expect=409)
    assert "bought" in refused["error"]["message"]
    agent.call("POST", place, {"alias": "other", "datasetId": "nothing"}, expect=400)
    after = {"alias": "again", "datasetId": dataset["id"], "index": 0, "snapshots": {"when": "after"}}
    agent.call("POST", place, after, expect=201)
    listed = agent.call("GET", place)
    assert [one["alias"] for one in listed["_embedded"]["inf:job-dataset"]] == ["again", "bought"]
    run = agent.call("POST", f"/api/jobs/{made['id']}")
    ended = agent.run_until(run["id"], "completed", "failed")
    assert ended["state"] == "completed", ended["error"]
    steps = [step["key"] for step in agent.call("GET", f"/api/runs/{run['id']}/steps")["items"]]
    assert steps == ["snapshot-before-bought", "read", "store", "snapshot-after-again", "read", "store"]
    assert len(agent.call("GET", "/api/datasets/orders/snapshots")["items"]) == 2
    agent.call("PUT", f"{place}/again", {"alias": "once", "datasetId": dataset["id"]}, expect=200)
    agent.call("DELETE", f"{place}/bought", expect=204)
    assert [one["alias"] for one in agent.call("GET", f"/api/jobs/{made['id']}")["datasets"]] == ["once"]
    agent.call("DELETE", "/api/datasets/orders", expect=204)
    assert agent.call("GET", f"{place}/once")["permitted"] is False
    ended = agent.run_until(agent.call("POST", f"/api/jobs/{made['id']}")["id"], "completed", "failed")
    assert (ended["state"], ended["error"]["kind"]) == ("failed", "not_startable")
    assert "there is no dataset" in ended["error"]["message"]


def test_a_deleted_dataset_leaves_no_file(agent: AgentProcess) -> None:
    dataset = agent.call("GET", "/api/datasets/orders")
    refresh(agent)
    folder = agent.data_dir / "datasets" / "default" / dataset["id"]
    assert list(folder.glob("*.parquet"))
    agent.call("DELETE", f"/api/datasets/{dataset['id']}", expect=204)
    assert not folder.exists()


def events(agent: AgentProcess) -> list[dict[str, Any]]:
    import json

    found = []
    with agent.client() as client, client.stream("GET", "/api/events?after=0") as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                found.append(json.loads(line.removeprefix("data:")))
            if found and found[-1]["kind"] == "dataset.changed" and found[-1]["data"]["snapshots"] == 1:
                return found
    raise AssertionError("the stream ended")


def test_a_dataset_is_used_as_a_step(agent: AgentProcess) -> None:
    dataset = agent.call("GET", "/api/datasets/orders")
    actions = [
        {
            "type": "dataset",
            "name": "fresh",
            "data": {"operation": "snapshot", "dataset": "bought", "max_age": "1 hour"},
        },
        {
            "type": "dataset",
            "name": "ask",
            "data": {
                "operation": "query",
                "dataset": "bought",
                "sql": "SELECT count(*) AS n, sum(price)::DECIMAL(9, 2) AS paid FROM bought WHERE id > 90",
            },
        },
        {
            "type": "dataset",
            "name": "files",
            "data": {"operation": "export", "dataset": "bought", "export": {"file": "b.csv"}},
        },
        {"type": "dataset", "name": "again", "data": {"operation": "refresh", "dataset": "bought"}},
    ]
    job = {
        "name": "Steps",
        "type": "dataset-refresh",
        "data": {"dataset": "bought"},
        "datasets": [{"alias": "bought", "datasetId": dataset["id"]}],
        "actions": actions,
    }
    made = agent.call("POST", "/api/jobs", job, expect=201)
    ended = agent.run_until(agent.call("POST", f"/api/jobs/{made['id']}")["id"], "completed", "failed")
    assert ended["state"] == "completed", ended["error"]
    fresh, asked, files, again = (action["result"] for action in ended["result"]["actions"])
    assert fresh["snapshot"] == ended["result"]["snapshot"]
    assert (asked["rows"], asked["truncated"]) == ([{"n": 9, "paid": "213.75"}], False)
    assert (files["rowsExported"], files["names"]) == (90, ["b.csv"])
    assert len((agent.data_dir / "exports" / "b.csv").read_text().splitlines()) == 91
    assert again["snapshot"] != fresh["snapshot"]
    refused = agent.call("POST", "/api/jobs", {"name": "x", "type": "dataset", "data": {}}, expect=400)
    assert "action" in refused["error"]["message"]


def test_a_dataset_and_an_attached_file_fill_a_knowledge_base(agent: AgentProcess) -> None:
    refresh(agent)
    agent.call("POST", "/api/knowledge-bases", {"name": "lamps"}, expect=201)
    into = {"knowledge_base": "lamps", "key_columns": ["id"], "content_columns": ["product"]}
    attached = {"id": "file", "type": "file", "name": "more.jsonl"}
    more = {"id": "more", "type": "import", "data": {**into, "attachment": "more.jsonl"}, "attachments": [attached]}
    body = {"name": "fill", "type": "import", "data": {**into, "from_dataset": "orders"}, "actions": [more]}
    job = agent.call("POST", "/api/jobs", body, expect=201)
    place = f"/api/jobs/{job['id']}/actions/more/attachments/{job['actions'][0]['attachments'][0]['id']}"
    with agent.client() as client:
        content = b'{"id": 20, "product": "velvet armchair", "room": "hall"}\n{"id": 500, "product": "oak table"}\n'
        stored = client.put(f"{place}/action-attachment-file-contents", content=content)
        assert stored.is_success, stored.text
    run = agent.call("POST", f"/api/jobs/{job['id']}")
    ended = agent.run_until(run["id"], "completed", "failed")
    assert ended["state"] == "completed", ended
    [second] = ended["result"].pop("actions")
    assert (ended["result"]["rowsImported"], ended["result"]["embedded"]) == (90, 90)
    assert (second["result"]["rowsImported"], second["result"]["rowsChanged"]) == (2, 2)
    base = agent.call("GET", "/api/knowledge-bases/lamps")
    assert base["rows"] == 91
    query = {"query": "an armchair of velvet", "limit": 1, "filter": {"room": "hall"}}
    [hit] = agent.call("POST", "/api/knowledge-bases/lamps/_search", query)["items"]
    assert (hit["key"], hit["origin"]) == ("20", "import")
