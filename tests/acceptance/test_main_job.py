"""The main job through a real agent: a table keeps a knowledge base in step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process

NOW = "2026-03-01 12:00:00"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "orders.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, description TEXT, updated_at TIMESTAMP)"
        )
        rows = [
            (n, f"lamp {n}", f"a plain lamp, number {n}", f"2026-03-01 11:{n // 60:02}:{n % 60:02}") for n in range(500)
        ]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        database.commit()
    return path


@pytest.fixture
def agent(tmp_path: Path, source: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "data", "--workers", "2") as running:
        running.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{source}"}, expect=201)
        running.call("POST", "/api/knowledge-bases", {"name": "orders_kb"}, expect=201)
        yield running


def execute(source: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(source, timeout=10)) as database:
        database.execute(statement, values)
        database.commit()


def create(agent: AgentProcess, **changes: Any) -> dict[str, Any]:
    data = {
        "source_table": "shop.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "updated_at",
        **changes.pop("data", {}),
    }
    job = {"name": "Orders", "type": "kb-sync", "data": data, **changes}
    created: dict[str, Any] = agent.call("POST", "/api/jobs", job, expect=201)
    return created


def run(agent: AgentProcess, job: dict[str, Any]) -> dict[str, Any]:
    started = agent.call("POST", f"/api/jobs/{job['id']}")
    ended = agent.run_until(started["id"], "completed", "failed", "cancelled")
    assert ended["state"] == "completed", ended["error"]
    return ended


def search(agent: AgentProcess, query: str, limit: int = 5) -> list[str]:
    answer = agent.call("POST", "/api/knowledge-bases/orders_kb/_search", {"query": query, "limit": limit})
    return [hit["text"] for hit in answer["items"]]


def test_what_moved_and_what_equals_the_watermark_is_found_by_the_next_run(agent: AgentProcess, source: Path) -> None:
    job = create(agent)
    assert run(agent, job)["result"]["rows_synced"] == 500

    execute(
        source, "UPDATE orders SET description = 'a violin of spruce', updated_at = '2026-03-01 12:30:00' WHERE id = 7"
    )
    execute(source, "INSERT INTO orders VALUES (900, 'rowing boat', 'a rowing boat of oak', '2026-03-01 11:08:19')")
    again = run(agent, job)

    assert "violin" in search(agent, "string instrument of spruce wood")[0]
    assert "rowing boat" in search(agent, "rowing boat")[0]
    assert again["result"]["rows_synced"] == 2
    assert agent.call("GET", "/api/knowledge-bases/orders_kb")["rows"] == 501


def test_a_second_sync_of_unchanged_rows_embeds_nothing(agent: AgentProcess) -> None:
    job = create(agent)
    run(agent, job)
    assert run(agent, job)["result"]["embedded"] == 0


def test_a_full_comparison_finds_silent_changes_and_deletions(agent: AgentProcess, source: Path) -> None:
    job = create(agent, data={"compare": "full"})
    run(agent, job)
    execute(source, "UPDATE orders SET description = 'a harpsichord' WHERE id = 3")
    execute(source, "DELETE FROM orders WHERE id = 4")
    run(agent, job)
    assert "harpsichord" in search(agent, "harpsichord")[0]
    assert "a plain lamp, number 4" not in {text.splitlines()[-1] for text in search(agent, "lamp number 4", limit=200)}
    assert agent.call("GET", "/api/knowledge-bases/orders_kb")["rows"] == 499


def test_a_scheduled_job_fires_by_itself_and_the_ledger_tells(agent: AgentProcess) -> None:
    job = create(agent, intervalType="simple", interval="1 second")
    from tests.harness.agent_process import until

    def fired() -> dict[str, Any] | None:
        page = agent.call("GET", f"/api/fires?jobId={job['id']}&outcome=started")
        return page["items"][-1] if page["items"] else None

    fire = until(fired, "a fire has started")
    ended = agent.run_until(fire["runId"], "completed", "failed", "cancelled")
    assert (ended["state"], ended["cause"]) == ("completed", "schedule")
    explained = agent.call("GET", f"/api/jobs/{job['id']}/explain")
    assert any("on time" in sentence for sentence in explained["sentences"])
