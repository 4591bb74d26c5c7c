"""The source database goes away in the middle of a sync, and comes back: the operator reads why, and nothing is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agent.core.driving import DriverError
from agent.resources.connections import open_source as open_engine
from agent.resources.connections import query_time
from tests.acceptance.faults.source import Source, open_source
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.knowledge import known_rows, known_texts

ROWS = 12_000


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    with open_source() as source:
        yield source


@pytest.fixture
def agent(tmp_path: Path, source: Source) -> Iterator[AgentProcess]:
    source.fill(ROWS)
    with agent_process(tmp_path / "data", "--workers", "1") as agent:
        agent.call("POST", "/api/connections", {"name": "shop", "url": source.url}, expect=201)
        agent.call("POST", "/api/knowledge-bases", {"name": "orders_kb"}, expect=201)
        yield agent


def test_a_source_that_is_killed_in_mid_sync_is_waited_for(agent: AgentProcess, source: Source) -> None:
    run = _in_the_middle(agent, attempts=100, backoff="0.5 s", max_backoff="1 s")
    source.kill()
    _reads_that_it_is_gone(agent, agent.run_until(run["id"], "retrying"))
    until(lambda: agent.call("GET", f"/api/runs/{run['id']}")["attempt"] > 2, "it was tried in vain")
    _comes_back(agent, source, run)


def test_a_source_that_stops_answering_holds_nobody_up(agent: AgentProcess, source: Source) -> None:
    """Nothing can be told from silence. A cancel ends it all the same, and the next run goes on."""
    run = _in_the_middle(agent)
    source.stop_answering()
    agent.call("POST", f"/api/runs/{run['id']}/_cancel", {})
    assert agent.run_until(run["id"], "cancelled", "failed", "completed")["state"] == "cancelled"
    source.answer_again()
    again = agent.call("POST", f"/api/jobs/{run['jobId']}")
    assert agent.run_until(again["id"], "completed", "failed")["state"] == "completed"
    assert known_texts(agent.data_dir) == source.texts()


def test_a_query_of_a_source_that_stops_answering_is_ended_all_the_same(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers no cancel request either."""
    monkeypatch.setattr(import_module("agent.resources.connections.query_time"), "_CANCEL_SECONDS", 0.2)
    engine = open_engine(source.url, 0.2)
    try:
        with pytest.raises(DriverError, match="needed more"):
            _ask_in_silence(engine, source)
    finally:
        source.answer_again()
        engine.dispose()


@pytest.mark.soak
def test_a_source_that_is_gone_for_a_minute_is_waited_for_by_the_defaults(agent: AgentProcess, source: Source) -> None:
    run = _in_the_middle(agent)
    source.kill()
    gone = time.monotonic()
    _reads_that_it_is_gone(agent, agent.run_until(run["id"], "retrying"))
    until(lambda: time.monotonic() - gone > 60, "a minute is over", deadline=70)
    assert agent.call("GET", f"/api/runs/{run['id']}")["state"] == "retrying"
    _comes_back(agent, source, run)


def _ask_in_silence(engine: sa.Engine, source: Source) -> None:
    with engine.connect() as connection, query_time(engine, "shop"):
        source.stop_answering()
        connection.execute(sa.text("SELECT 1"))


def _in_the_middle(agent: AgentProcess, **retry: Any) -> dict[str, Any]:
    """A run of a sync that has stored some of the rows."""
    data = {
        "source_table": "shop.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "changed",
        "batch_size": 50,
    }
    policies = {"retry": retry, "kill_grace": "1 s"}
    job = agent.call("POST", "/api/jobs", {"name": "Sync", "type": "kb-sync", "data": data, "policies": policies}, 201)
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{job['id']}")
    # By the rows themselves: on a slow disk the run's progress is stored when its end is near.
    until(lambda: 0 < known_rows(agent.data_dir) < ROWS, "it is in the middle", tell=lambda: _tells(agent, run))
    return run


def _reads_that_it_is_gone(agent: AgentProcess, run: dict[str, Any]) -> None:
    """On the run, and as the last line of its log."""
    message = run["error"]["message"]
    print(message)
    assert message.startswith("connection 'shop' (postgresql"), message
    assert "cannot be reached: " in message
    assert run["error"]["kind"] == "source_unreachable"
    assert "Traceback" not in message
    assert "BaseException" not in message
    (last,) = agent.call("GET", f"/api/runs/{run['id']}/log?start=-1")["lines"]
    assert last["level"] == "error"
    assert "failed and will be retried: connection 'shop'" in last["text"]
    assert "next attempt at" in last["text"]


def _comes_back(agent: AgentProcess, source: Source, run: dict[str, Any], deadline: float = 120) -> None:
    source.start_again()
    source.execute("UPDATE orders SET description = 'changed since', changed = id + 1000000 WHERE id % 1000 = 0")
    source.execute("INSERT INTO orders VALUES (1000000, 'lamp', 'new since', 2000000)")
    ended = until(
        lambda: (found := agent.call("GET", f"/api/runs/{run['id']}"))["finishedAt"] and found,
        "it has ended",
        deadline=deadline,
        tell=lambda: _tells(agent, run),
    )
    assert ended["state"] == "completed", ended["error"]
    assert ended["attempt"] > 1
    assert known_texts(agent.data_dir) == source.texts()


def _tells(agent: AgentProcess, run: dict[str, Any]) -> str:
    """What a failed wait leaves behind: the run as it stands and the end of its log."""
    lines = agent.call("GET", f"/api/runs/{run['id']}/log?start=-20")["lines"]
    return "\n".join([str(agent.call("GET", f"/api/runs/{run['id']}")), *(line["text"] for line in lines)])
