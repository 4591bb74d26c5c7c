"""Contract 002 against an agent that works: sources are synced, refreshed, cleared and reset as the integrator asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until

ROOT = "/v1/organizations/default/knowledge/connectors"
ORDERS = {"table": "orders", "content_columns": ["product"], "filter_column": "updated_at"}
NOTES = {"table": "notes", "content_columns": ["body"], "filter_column": "seq", "key_columns": ["seq"]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    execute(path, "CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, updated_at TIMESTAMP)")
    execute(path, "CREATE TABLE notes (seq INTEGER, body TEXT)")
    for number in range(20):
        execute(path, f"INSERT INTO orders VALUES ({number}, 'lamp number {number}', '2026-03-01 12:00:{number:02d}')")
    execute(path, "INSERT INTO notes VALUES (1, 'a violin of spruce'), (2, 'a rowing boat of oak')")
    return path


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "d", "--workers", "1") as running:
        yield running


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def connect(agent: AgentProcess, source: Path) -> dict[str, Any]:
    given = {"name": "shop", "source_definition_id": "sqlite", "configuration": {"database": str(source)}}
    made = agent.call("POST", f"{ROOT}/sources", given, expect=201)
    wanted = {"name": "Shop", "source_id": made["source_id"], "configurations": {"streams": [ORDERS, NOTES]}}
    connection: dict[str, Any] = agent.call("POST", f"{ROOT}/connections", wanted, expect=201)
    return connection


def ended(agent: AgentProcess, asked: dict[str, Any]) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        job: dict[str, Any] = agent.call("GET", f"{ROOT}/jobs/{asked['job_id']}")
        return job if job["duration"] is not None else None

    return until(found, "the job has ended")


def trigger(agent: AgentProcess, connection: dict[str, Any], kind: str) -> dict[str, Any]:
    body = {"connection_id": connection["connection_id"], "job_type": kind}
    return ended(agent, agent.call("POST", f"{ROOT}/jobs", body, expect=201))


def rows(agent: AgentProcess, connection: dict[str, Any]) -> int:
    return int(agent.call("GET", f"/api/knowledge-bases/{connection['destination_id']}")["rows"])


def text(agent: AgentProcess, query: str) -> str:
    found = agent.call("POST", "/api/knowledge-bases/Shop/_search", {"query": query, "limit": 1})["items"]
    return str(found[0]["text"]) if found else ""


def test_a_connection_from_its_first_sync_to_its_reset(agent: AgentProcess, source: Path) -> None:
    connection = connect(agent, source)
    path = f"{ROOT}/connections/{connection['connection_id']}"

    first = trigger(agent, connection, "sync")
    assert (first["status"], first["rows_synced"], first["job_type"]) == ("succeeded", 22, "sync")
    assert first["bytes_synced"] == sum(len(f"lamp number {n}") for n in range(20)) + len(
        "a violin of spruce" + "a rowing boat of oak"
    )
    assert first["duration"].startswith("PT")
    assert (rows(agent, connection), text(agent, "instrument of spruce")) == (22, "a violin of spruce")
    assert trigger(agent, connection, "sync")["rows_synced"] == 0

    execute(source, "UPDATE notes SET body = 'a harp of maple' WHERE seq = 1")  # the filter column does not tell
    assert trigger(agent, connection, "sync")["rows_synced"] == 0
    refreshed = ended(agent, agent.call("POST", f"{path}/refresh", {"streams": ["notes"]}, expect=201))
    assert (refreshed["job_type"], refreshed["status"], refreshed["rows_synced"]) == ("reset", "succeeded", 1)
    assert text(agent, "instrument of maple") == "a harp of maple"

    execute(source, "DELETE FROM notes WHERE seq = 2")
    again = {"streams": ["notes"], "remove_records": True}
    assert ended(agent, agent.call("POST", f"{path}/refresh", again, expect=201))["rows_synced"] == 1
    assert rows(agent, connection) == 21

    cleared = ended(agent, agent.call("POST", f"{path}/clear", {"streams": ["orders"]}, expect=201))
    assert (cleared["status"], cleared["rows_synced"], rows(agent, connection)) == ("succeeded", 0, 1)
    reset = trigger(agent, connection, "reset")
    assert (reset["job_type"], reset["rows_synced"], rows(agent, connection)) == ("reset", 21, 21)

    timeline = agent.call("GET", f"{path}/timeline")["data"]
    kinds = ["reset", "clear", "reset", "refresh", "sync", "sync", "sync", "created"]
    assert [event["event_type"] for event in timeline] == kinds
    assert timeline[0]["summary"].startswith("Reset succeeded: 21 rows, ")
    assert agent.call("GET", f"{ROOT}/jobs?job_type=reset")["total"] == 4
    assert agent.call("GET", f"{ROOT}/jobs/{first['job_id']}/logs")["total"] > 0


def test_a_stream_that_fails_and_its_retry(agent: AgentProcess, source: Path) -> None:
    connection = connect(agent, source)
    execute(source, "ALTER TABLE orders RENAME TO elsewhere")
    failed = trigger(agent, connection, "reset")
    assert (failed["status"], failed["rows_synced"]) == ("failed", 2)
    run = agent.call("GET", f"/api/runs/{failed['job_id']}")
    assert run["error"]["kind"] == "streams_failed"
    assert "shop.orders" in run["error"]["message"]
    lines = agent.call("GET", f"{ROOT}/jobs/{failed['job_id']}/logs?limit=100")["data"]
    assert any(line["level"] == "error" and "shop.orders" in line["message"] for line in lines)

    execute(source, "ALTER TABLE elsewhere RENAME TO orders")
    retried = agent.call("POST", f"{ROOT}/jobs/{failed['job_id']}/retry", expect=200)
    assert (retried["status"], retried["job_type"]) == ("pending", "reset")
    again = ended(agent, retried)
    assert (again["job_type"], again["status"], again["rows_synced"]) == ("reset", "succeeded", 22)
    assert rows(agent, connection) == 22
