"""Somebody is too fast, or too slow: a program that floods its log, a reader that reads no more, a queue that is long, a
disk that takes its time. Memory stays flat, nothing is lost untold, and everybody else goes on."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.states import FINAL
from tests.acceptance.faults.memory import Memory
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.telling import PATIENCE

_LINE = "line %.0f of a program that says a lot, and then some more of it"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "data", "--workers", "2") as agent:
        yield agent


@pytest.mark.parametrize("lines", [100_000, pytest.param(2_000_000, marks=pytest.mark.soak)])
def test_a_program_that_floods_its_log(agent: AgentProcess, lines: int) -> None:
    """Every line is there. Meanwhile the API answers, schedules fire, leases are kept, and readers that have stopped
    reading cost nothing."""
    _run(agent, "warm", "true")
    memory = Memory(agent)
    ticking = _publish(agent, "ticking", "true", intervalType="simple", interval="1 second")
    flood = _publish(agent, "flood", f"seq -f '{_LINE}' 1 {lines}")
    run = agent.call("POST", f"/api/jobs/{flood['id']}")
    with _stopped_reader(agent, "/api/events"), _stopped_reader(agent, f"/api/runs/{run['id']}/log/follow"):
        answers = 0
        while agent.call("GET", f"/api/runs/{run['id']}")["state"] not in FINAL:
            answers += 1
            memory.look()
    assert answers > 3
    ended = agent.call("GET", f"/api/runs/{run['id']}")
    assert (ended["state"], ended["result"]["stdout_lines"], ended["warnings"]) == ("completed", lines, [])
    assert ended["attempt"] == 1, "its lease was kept"
    page = agent.call("GET", f"/api/runs/{run['id']}/log?start=-1")
    assert (page["total"], page["complete"]) == (lines, True)
    for number in (1, lines // 2, lines):
        (line,) = agent.call("GET", f"/api/runs/{run['id']}/log?start={number}&limit=1")["lines"]
        assert line["text"] == _LINE.replace("%.0f", str(number))
    until(lambda: agent.call("GET", f"/api/fires?jobId={ticking['id']}")["items"], "schedules fire")
    memory.assert_flat()


def test_a_flood_beyond_its_limit_is_cut_off_and_counted(agent: AgentProcess) -> None:
    ended = _run(agent, "flood", f"seq -f '{_LINE}' 1 50000", output_limit_mb=1)
    assert ended["result"]["stdout_lines"] == 50_000
    kept = agent.call("GET", f"/api/runs/{ended['id']}/log?limit=1")["total"]
    (warning,) = ended["warnings"]
    assert warning == f"the output was longer than output_limit_mb; {50_000 - kept} lines were not kept"


def test_who_stops_reading_events_is_told_to_begin_anew_and_holds_nobody_up(agent: AgentProcess) -> None:
    job = _publish(agent, "large", "true")
    versions, large = 40, "true # " + "x" * 500_000
    heard: list[str] = []
    listening = threading.Thread(target=_listen, args=(agent, heard, f'"version":{versions + 1},'))
    with _stopped_reader(agent, "/api/events") as stopped:
        listening.start()
        until(lambda: heard, "the other listens")
        for number in range(versions):
            body = {"name": "large", "type": "command", "data": {"command": large}, "tags": [str(number)]}
            agent.call("PUT", f"/api/jobs/{job['id']}", body)
        listening.join(PATIENCE)
        assert not listening.is_alive(), "the other hears all of it"
        rest = _rest_of(stopped)
    assert b"event: reset\n" in rest[-1000:]
    assert rest.count(b"event: job.changed\n") < versions


@pytest.mark.parametrize("count", [150, pytest.param(5_000, marks=pytest.mark.soak)])
def test_a_long_queue(agent: AgentProcess, tmp_path: Path, count: int) -> None:
    """Both workers are busy: everything waits, is told why, and runs once, in its order."""
    go, book = tmp_path / "go", tmp_path / "book"
    busy = _publish(agent, "busy", f"until [ -e {go} ]; do sleep 0.05; done")
    for _ in range(2):
        agent.run_until(agent.call("POST", f"/api/jobs/{busy['id']}")["id"], "running")
    key = {"key": "book", "limit": 1}
    waiting = _publish(agent, "waiting", f"echo $JOBDECK_RUN >> {book}", concurrency=key)
    memory = Memory(agent)
    with agent.client() as client, ThreadPoolExecutor(8) as threads:
        path = f"/api/jobs/{waiting['id']}"
        runs = [answer.json() for answer in threads.map(lambda _: client.post(path), range(count))]
    memory.look()
    assert agent.call("GET", "/api/agent")["counts"]["pending"] == count
    assert agent.call("GET", f"/api/runs/{runs[-1]['id']}")["waitingFor"]
    go.touch()
    until(lambda: agent.call("GET", "/api/agent")["counts"]["completed"] == count + 2, "all ran", deadline=600)
    in_order = [run["id"] for run in sorted(runs, key=lambda run: run["number"])]
    assert book.read_text().split() == in_order
    memory.assert_flat()


@pytest.mark.skipif(shutil.which("strace") is None, reason="nothing here can slow down a disk: strace is not installed")
def test_a_disk_that_takes_its_time(agent: AgentProcess) -> None:
    """Every flush takes half a second: who writes waits for it, and nobody else."""
    job = _publish(agent, "quick", "true")
    with _slow_flushes(agent, microseconds=500_000), agent.client() as client, ThreadPoolExecutor(16) as threads:
        writing: list[Future[httpx.Response]] = []

        def is_overtaken() -> bool:
            """Reads that began after a write are over before it is: one is done when it is, the next would wait again."""
            writing.append(threads.submit(client.post, f"/api/jobs/{job['id']}"))
            for _ in range(3):
                agent.call("GET", "/api/agent")
            return not writing[-1].done()

        until(is_overtaken, "reading waits for no writing")
        writing += [threads.submit(client.post, f"/api/jobs/{job['id']}") for _ in range(8 - len(writing))]
        assert all(each.result().is_success for each in writing)
        until(lambda: agent.call("GET", "/api/agent")["counts"]["completed"] == len(writing), "all of them run")
    assert "Traceback" not in agent.log.read_text()


@contextmanager
def _stopped_reader(agent: AgentProcess, path: str) -> Iterator[socket.socket]:
    """Who has asked, and reads nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.connect(str(agent.socket))
        door.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield door


def _rest_of(door: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    door.settimeout(PATIENCE)
    parts = []
    while part := door.recv(1 << 20):
        parts.append(part)
        if part.endswith(b"0\r\n\r\n"):
            break
    return b"".join(parts)


def _listen(agent: AgentProcess, heard: list[str], last: str) -> None:
    with agent.client() as client, client.stream("GET", "/api/events") as answer:
        for line in answer.iter_lines():
            heard.append(line[:20])
            if last in line:
                return


@contextmanager
def _slow_flushes(agent: AgentProcess, microseconds: int) -> Iterator[None]:
    """As the agent sees it: the system call itself takes that long."""
    assert agent.process is not None
    pid = agent.process.pid
    calls = "fsync,fdatasync"
    argv = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    argv += ["-e", f"inject={calls}:delay_exit={microseconds}", "-p", str(pid)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as tracer:
        try:
            until(lambda: tracer.poll() is not None or _is_traced(pid), "the calls are slow")
            assert tracer.poll() is None, tracer.communicate()[1]
            yield
        finally:
            tracer.terminate()


def _is_traced(pid: int) -> bool:
    """Every thread of it."""
    told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return not any("TracerPid:\t0\n" in each for each in told)


def _publish(agent: AgentProcess, name: str, command: str, concurrency: Any = None, **more: Any) -> dict[str, Any]:
    data = {"command": command} | {key: more.pop(key) for key in ("output_limit_mb",) if key in more}
    policies = {"overlap": "allow", "kill_grace": "1 s"} | ({"concurrency": concurrency} if concurrency else {})
    body = {"name": name, "type": "command", "data": data, "policies": policies, **more}
    job: dict[str, Any] = agent.call("POST", "/api/jobs", body, expect=201)
    return job


def _run(agent: AgentProcess, name: str, command: str, **more: Any) -> dict[str, Any]:
    run = agent.call("POST", f"/api/jobs/{_publish(agent, name, command, **more)['id']}")
    return agent.run_until(run["id"], "completed")
