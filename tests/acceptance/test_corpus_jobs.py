"""Index, filter attributes and documents of a knowledge base, through a real agent and its real reader."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.pdf import pdf

REBUILD, REPLACE = "corpus-rebuild-vector-index", "corpus-replace-filter-attrs"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """Two thousand orders, synced."""
    folder = tmp_path_factory.mktemp("corpus")
    with closing(sqlite3.connect(folder / "orders.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, text TEXT, updated_at TIMESTAMP)")
        rows = [(n, "PO"[n % 2], f"lamp {n} of the {n % 37}th street", "2026-03-01 11:00:00") for n in range(2000)]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        database.commit()
    with agent_process(folder / "data", "--workers", "2") as running:
        running.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{folder}/orders.db"}, expect=201)
        running.call("POST", "/api/knowledge-bases", {"name": "kb"}, expect=201)
        sync(running)
        yield running


def sync(agent: AgentProcess) -> None:
    table = {"source_table": "shop.orders", "content_columns": ["text"], "filter_column": "updated_at"}
    assert run(agent, "kb-sync", **table)["state"] == "completed"


def create(agent: AgentProcess, type_: str, **data: Any) -> str:
    name = f"{type_} {len(agent.call('GET', '/api/jobs?limit=100')['_embedded']['inf:job'])}"
    policies = {"retry": {"attempts": 3, "backoff": "0.2 s"}}
    job = {"name": name, "type": type_, "data": {"knowledge_base": "kb", **data}, "policies": policies}
    return str(agent.call("POST", "/api/jobs", job, expect=201)["id"])


def run(agent: AgentProcess, type_: str, **data: Any) -> dict[str, Any]:
    started = agent.call("POST", f"/api/jobs/{create(agent, type_, **data)}")
    return agent.run_until(started["id"], "completed", "failed", "cancelled")


def search(agent: AgentProcess, query: str, **filter_: Any) -> list[dict[str, Any]]:
    question = {"query": query, "mode": "vector", "limit": 3, "filter": filter_}
    hits: list[dict[str, Any]] = agent.call("POST", "/api/knowledge-bases/kb/_search", question)["items"]
    return hits


def test_rebuilt_index_serves_searches_and_what_comes_after_it(agent: AgentProcess) -> None:
    rows = agent.call("GET", "/api/knowledge-bases/kb")["rows"]
    assert rows >= 2000
    done = run(agent, REBUILD)
    assert done["state"] == "completed", done["error"]
    assert done["result"]["rows"] == rows
    assert done["result"]["recall"] >= 0.95
    assert (done["progress"]["done"], done["progress"]["total"], done["progress"]["unit"]) == (rows, rows, "rows")
    assert search(agent, "lamp 7 of the 7th street")[0]["key"] == "7"
    (folder,) = agent.data_dir.glob("knowledge/*/*")
    with closing(sqlite3.connect(agent.data_dir.parent / "orders.db")) as database:
        database.execute("INSERT INTO orders VALUES (9000, 'P', 'a violin concerto', '2026-03-01 12:00:00')")
        database.commit()
    sync(agent)
    assert search(agent, "violin music")[0]["key"] == "9000"
    assert len(list(folder.glob("index-*.usearch"))) == 1


def test_killed_worker_leaves_the_index_and_the_run_is_retried(agent: AgentProcess) -> None:
    run(agent, REBUILD)
    (folder,) = agent.data_dir.glob("knowledge/*/*")
    before = (folder / "index.json").read_bytes()
    job = create(agent, REBUILD, connectivity=64, expansion=1024, threads=1)
    started = agent.call("POST", f"/api/jobs/{job}")
    worker = until(lambda: holder(folder, started["id"]), "a worker is at it")
    os.kill(worker, signal.SIGKILL)
    assert (folder / "index.json").read_bytes() == before
    assert search(agent, "lamp 7 of the 7th street")[0]["key"] == "7"
    ended = agent.run_until(started["id"], "completed", "failed", "cancelled")
    assert (ended["state"], ended["attempt"]) == ("completed", 2)
    assert (folder / "index.json").read_bytes() != before
    assert len(list(folder.glob("index-*.usearch"))) == 1
    assert list(folder.glob("aside-*")) == []


def holder(folder: Path, run_id: str) -> int | None:
    """The process that this run holds the knowledge base with."""
    signed = (folder / "writer.lock").read_text()
    found = json.loads(signed) if signed else {}
    return int(found["pid"]) if found.get("run") == run_id else None


def test_replaced_attributes_are_what_searches_filter_by(agent: AgentProcess) -> None:
    done = run(agent, REPLACE, rename={"status": "paid"}, map={"status": {"P": True, "O": False}}, set={"shop": "main"})
    assert done["state"] == "completed", done["error"]
    assert done["result"]["rows_changed"] == done["result"]["rows"] >= 2000
    hits = search(agent, "lamp 8 of the 8th street", paid=True, shop="main")
    assert hits[0]["attributes"]["paid"] is True
    assert search(agent, "lamp", status="P") == []
    assert run(agent, REPLACE, restore=True)["state"] == "completed"
    assert len(search(agent, "lamp", status="P")) == 3


def test_documents_in_the_folder_of_the_agent_are_found(agent: AgentProcess) -> None:
    folder = agent.data_dir / "exports/handbook"
    folder.mkdir(parents=True)
    (folder / "sailing.pdf").write_bytes(pdf("Reef the mainsail in strong wind.", title="Seamanship"))
    (folder / "broken.pdf").write_bytes(b"no pdf")
    (folder / "link.txt").symlink_to("/etc/passwd")
    done = run(agent, "document_processing", files=["handbook"])
    assert done["state"] == "completed", done["error"]
    assert (done["result"]["documentsProcessed"], done["result"]["errors"]) == (1, 1)
    assert done["warnings"][0].startswith("handbook/broken.pdf: Invalid PDF")
    (hit, *_) = search(agent, "sails in a storm", title="Seamanship")
    assert (hit["key"], hit["origin"]) == ("handbook/sailing.pdf#0", "documents")
    outside = run(agent, "document_processing", files=["/etc"])
    assert (outside["state"], outside["error"]["kind"]) == ("failed", "path")


@pytest.mark.parametrize(("type_", "data"), [(REBUILD, {}), (REPLACE, {"drop": ["status"]})])
def test_unknown_knowledge_base_is_refused_by_its_field(agent: AgentProcess, type_: str, data: dict[str, Any]) -> None:
    job = {"name": "Wrong", "type": type_, "data": {"knowledge_base": "kbb", **data}}
    refused = agent.call("POST", "/api/jobs", job, expect=400)
    assert "data.knowledge_base" in str(refused)
    assert "there is no knowledge base 'kbb'; there are: kb" in str(refused)
