"""A file system that somebody fills while an agent works on it, its own log included: said, survived, recovered from."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.resources.knowledge.lock import LOCK_NAME, try_lock
from shared.exits import Exit
from tests.acceptance.faults.small_disk import SmallDisk, small_disk
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.knowledge import known_texts
from tests.harness.shell import Shell
from tests.harness.telling import PATIENCE

_TALK = """
n=0
while [ ! -e {flag} ]; do
  for i in 1 2 3 4 5; do n=$((n+1)); echo "line $n"; done
  echo $n > {said}
  sleep 0.01
done
echo "said $n"
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small", megabytes=16) as disk:
        yield disk


def test_a_full_disk_is_said_and_survived(tmp_path: Path, disk: SmallDisk) -> None:
    flag, said = tmp_path / "enough", tmp_path / "said"
    with agent_process(disk.root / "data", "--workers", "2") as agent:
        talking = _job(agent, "talking", _TALK.format(flag=flag, said=said))
        ticking = _job(agent, "ticking", "true", intervalType="simple", interval="1 second")
        run = agent.call("POST", f"/api/jobs/{talking['id']}")
        until(lambda: _log(agent, run)["total"] > 10 and _fires(agent, ticking), "it talks, and the other fires")

        disk.fill()
        accepted, refused = _create_until_refused(agent)
        _assert_said(agent, refused)
        assert agent.call("GET", f"/api/runs/{run['id']}")["state"] == "running", "reading goes on"
        until(lambda: int(said.read_text() or 0) - _log(agent, run)["total"] > 100, "lines of the run are lost")

        disk.make_room()
        until(lambda: _ready(agent).status_code == httpx.codes.OK, "it is ready again")
        flag.touch()
        ended = agent.run_until(run["id"], "completed", "failed", "retrying")
        assert ended["state"] == "completed", ended
        _assert_lines_there_or_counted(agent, run)
        _assert_fires_go_on(agent, ticking)
        assert _count_jobs(agent) == 2 + accepted, "what was answered with 201 is there, and nothing else"
        until(lambda: _ready(agent).json()["failing"] == {}, "every duty works again")
    assert "Traceback" not in _agent_log(agent)


def test_a_sync_waits_for_room(tmp_path: Path) -> None:
    """What the disk takes from it is a failure that passes: tried again, with nothing missing and nothing twice."""
    orders = tmp_path / "orders.db"
    texts = _fill(orders, 15_000)
    with small_disk(tmp_path / "small", megabytes=96) as disk, agent_process(disk.root / "data") as agent:
        base = disk.root / "data" / "knowledge"
        agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{orders}"}, expect=201)
        agent.call("POST", "/api/knowledge-bases", {"name": "orders_kb"}, expect=201)
        run = _start_sync(agent)
        until(lambda: agent.call("GET", f"/api/runs/{run['id']}")["progress"]["done"] > 0, "it is in the middle")
        disk.fill()
        until(lambda: _is_free(base), "it has met it: nobody writes to the knowledge base any more")
        disk.make_room()
        ended = agent.run_until(run["id"], "completed", "failed")
        assert ended["state"] == "completed", ended["error"]
        first = agent.call("GET", f"/api/runs/{run['id']}/attempts")["items"][0]
        assert "knowledge base 'orders_kb' cannot be written: the disk is full; make room" in str(first)
        assert known_texts(agent.data_dir) == texts


def test_an_agent_that_was_killed_on_a_full_disk_starts_when_there_is_room(disk: SmallDisk) -> None:
    agent = AgentProcess(disk.root / "data", "--workers", "1").start()
    run = agent.call("POST", f"/api/jobs/{_job(agent, 'long', 'exec sleep 3600')['id']}")
    agent.run_until(run["id"], "running")
    disk.fill()
    accepted, _ = _create_until_refused(agent)
    agent.kill()
    agent.spawn()
    assert agent.process is not None
    first_end = agent.process.wait(PATIENCE)
    disk.make_room()
    with agent_process(disk.root / "data", "--workers", "1") as after:
        assert first_end == Exit.UNAVAILABLE, (
            "it says so at once; its service manager tries again (docs/jobdeck.service)"
        )
        assert "disk is full" in _agent_log(agent)
        assert _count_jobs(after) == 1 + accepted
        assert after.run_until(run["id"], "failed")["error"]["kind"] == "lost"


@pytest.mark.parametrize("has_log", [True, False])
def test_a_first_start_on_a_full_disk_says_so_and_is_made_good_by_the_next(
    tmp_path: Path, disk: SmallDisk, has_log: bool
) -> None:
    (disk.root / "data").mkdir()
    disk.fill()
    agent = AgentProcess(disk.root / "data", "--workers", "1", cold=True)
    if has_log:
        agent.log = tmp_path / "elsewhere.log"
    agent.spawn()
    assert agent.process is not None
    assert agent.process.wait(PATIENCE) == Exit.UNAVAILABLE
    if has_log:
        assert "No space left on device; make room" in _agent_log(agent)
        assert "report it" not in _agent_log(agent)
    disk.make_room()
    with agent_process(disk.root / "data", "--workers", "1") as after:
        assert _count_jobs(after) == 0


def _fill(path: Path, rows: int) -> dict[str, str]:
    """A table of orders; key to text, as the knowledge base should have it."""
    orders = [(number, f"lamp {number}", f"a plain lamp with the number {number}", number) for number in range(rows)]
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, description TEXT, changed INTEGER)"
        )
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
        database.commit()
    return {str(id_): f"{product}\n{description}" for id_, product, description, _ in orders}


def _start_sync(agent: AgentProcess) -> dict[str, Any]:
    data = {
        "source_table": "shop.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "changed",
        "batch_size": 50,
    }
    policies = {"retry": {"attempts": 100, "backoff": "0.5 s", "max_backoff": "1 s"}}
    body = {"name": "sync", "type": "kb-sync", "data": data, "policies": policies}
    job = agent.call("POST", "/api/jobs", body, expect=201)
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{job['id']}")
    return run


def _is_free(folder: Path) -> bool:
    (lock,) = folder.rglob(LOCK_NAME)
    handle = try_lock(lock.parent)
    if handle is None:
        return False
    os.close(handle)
    return True


def _create_until_refused(agent: AgentProcess) -> tuple[int, httpx.Response]:
    """The journal still has a little room at first. How many were accepted, and the first refusal."""
    large = {"command": "true # " + "x" * 100_000}
    for number in range(1000):
        body = {"name": f"job {number}", "type": "command", "data": large}
        with agent.client() as client:
            answer = client.post("/api/jobs", json=body)
        if not answer.is_success:
            return number, answer
    raise AssertionError("the disk is not full")


def _assert_said(agent: AgentProcess, refused: httpx.Response) -> None:
    """To who asks for work, to a monitor, and to who looks after it."""
    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert refused.headers["Retry-After"]
    message = refused.json()["error"]["message"]
    assert "the disk is full; make room" in message
    ready = _ready(agent)
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ready.json()["store"] == message
    told = Shell(agent.data_dir)("doctor", "--json", code=1)
    findings = {finding["check"]: finding for finding in json.loads(told)["findings"]}
    assert message in str(findings["agent"])
    assert findings["disk"]["severity"] == "error"


def _assert_lines_there_or_counted(agent: AgentProcess, run: dict[str, Any]) -> None:
    page = _log(agent, run, limit=5000)
    texts = [line["text"] for line in page["lines"]]
    (said,) = [int(found[1]) for text in texts if (found := re.fullmatch(r"said (\d+)", text))]
    there = [int(found[1]) for text in texts if (found := re.fullmatch(r"line (\d+)", text))]
    counted = [int(found[1]) for text in texts if (found := re.match(r"(\d+) lines before this one could not", text))]
    assert counted, "some could not be written, and the log says so where they would be"
    assert len(there) + sum(counted) == said
    assert there == sorted(set(there))


def _assert_fires_go_on(agent: AgentProcess, job: dict[str, Any]) -> None:
    seen = len(_fires(agent, job))
    until(lambda: len(_fires(agent, job)) > seen, "the scheduler goes on")
    moments = [fire["fireAt"] for fire in _fires(agent, job)]
    assert len(set(moments)) == len(moments)


def _ready(agent: AgentProcess) -> httpx.Response:
    with agent.client() as client:
        return client.get("/readyz")


def _agent_log(agent: AgentProcess) -> str:
    return agent.log.read_text()


def _job(agent: AgentProcess, name: str, command: str, **more: Any) -> dict[str, Any]:
    body = {"name": name, "type": "command", "data": {"command": command}, "policies": {"kill_grace": "1 s"}, **more}
    job: dict[str, Any] = agent.call("POST", "/api/jobs", body, expect=201)
    return job


def _count_jobs(agent: AgentProcess) -> int:
    total: int = agent.call("GET", "/api/jobs?limit=1")["total"]
    return total


def _fires(agent: AgentProcess, job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("GET", f"/api/fires?jobId={job['id']}&limit=200")["items"]
    return found


def _log(agent: AgentProcess, run: dict[str, Any], limit: int = 1) -> dict[str, Any]:
    page: dict[str, Any] = agent.call("GET", f"/api/runs/{run['id']}/log?limit={limit}")
    return page
