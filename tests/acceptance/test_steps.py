"""Jobs of several steps in a real agent: workers and agents are killed between steps, and what was sent is not sent again."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.http_server import HttpServer, http_server
from tests.harness.mail_server import MailBox, mail_server
from tests.harness.shell import Shell

ENVIRONMENT = {
    "JOBDECK_ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]',
    "JOBDECK_SMTP_HOSTS": '["127.0.0.1"]',
    "JOBDECK_LEASE": "3 s",
}
RETRY = {"on_lost": "retry", "retry": {"attempts": 3, "backoff": "1 s"}}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "data", "--workers", "1", env=ENVIRONMENT) as agent:
        yield agent


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as box:
        yield box


def job(agent: AgentProcess, actions: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """Made, and started: its run."""
    definition = {"name": "Steps", "type": "command", "data": {"command": "echo main"}, "actions": actions, **fields}
    made = agent.call("POST", "/api/jobs", definition, expect=201)
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{made['id']}")
    return run


def hook(server: HttpServer, path: str = "/hook", **fields: Any) -> dict[str, Any]:
    return {"id": "hook", "name": "Tell them", "type": "webhook", "data": {"url": server.url(path)}, **fields}


def mail(box: MailBox, **fields: Any) -> dict[str, Any]:
    server = {"host": "127.0.0.1", "port": box.port, "tls": "none", "from": "jobs@example.net"}
    data = {"to": "a@example.org", "subject": "{{ job.name }}", "text": "{{ states.hook }}", "server": server}
    return {"id": "mail", "name": "Write to them", "type": "email", "data": data, **fields}


def halt(folder: Path) -> dict[str, Any]:
    """A step that waits the first time, and says who waits for it; the second time it is through at once."""
    script = f"[ -e {folder}/second ] && exit 0; echo $PPID > {folder}/pid.new; mv {folder}/pid.new {folder}/pid; exec sleep 600"
    return {"id": "halt", "type": "command", "data": {"command": script}}


def steps(agent: AgentProcess, run: dict[str, Any]) -> list[tuple[int, str, str]]:
    found = agent.call("GET", f"/api/runs/{run['id']}/steps")["items"]
    return [(each["attempt"], each["key"], each["state"]) for each in found]


def test_what_was_sent_before_its_worker_died_is_not_sent_again(
    agent: AgentProcess, server: HttpServer, box: MailBox, tmp_path: Path
) -> None:
    run = job(agent, [hook(server), mail(box), halt(tmp_path)], policies=RETRY)
    until((tmp_path / "pid").exists, "the third step waits")
    (tmp_path / "second").touch()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    ended = agent.run_until(run["id"], "completed", "failed")
    assert (ended["state"], ended["attempt"]) == ("completed", 2), ended
    assert [request.headers["idempotency-key"] for request in server.at("/hook")] == [f"{run['id']}.hook"]
    assert [taken.message["message-id"] for taken in box.taken] == [f"<{run['id']}.mail@example.net>"]
    told = json.loads(server.at("/hook")[0].body)
    assert told["results"]["main"]["exit_code"] == 0
    assert told["run"] == {"id": run["id"], "attempt": 1}
    assert [each["state"] for each in ended["result"]["actions"]] == ["completed"] * 3
    assert steps(agent, run) == [
        (1, "main", "completed"), (1, "hook", "completed"), (1, "mail", "completed"), (1, "halt", "failed"),
        (2, "main", "skipped"), (2, "hook", "skipped"), (2, "mail", "skipped"), (2, "halt", "completed"),
    ]  # fmt: skip


def test_nor_after_the_agent_was_killed(agent: AgentProcess, server: HttpServer, box: MailBox, tmp_path: Path) -> None:
    run = job(agent, [hook(server), mail(box), halt(tmp_path)], policies=RETRY)
    until((tmp_path / "pid").exists, "the third step waits: what was before it is stored")
    (tmp_path / "second").touch()
    agent.kill()
    agent.start()
    ended = agent.run_until(run["id"], "completed", "failed")
    assert ended["state"] == "completed", ended
    assert (len(server.at("/hook")), len(box.taken)) == (1, 1)


def test_what_may_have_been_sent_goes_out_under_the_same_key_where_that_is_wanted(
    agent: AgentProcess, server: HttpServer, tmp_path: Path
) -> None:
    """At least once: nobody knows what became of the request when the worker died over it."""
    note = {"type": "command", "data": {"command": f"echo $PPID > {tmp_path}/pid"}}
    run = job(agent, [note, hook(server, "/wait")], policies=RETRY)
    until(lambda: server.at("/wait"), "the request is there")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    server.open.set()
    ended = agent.run_until(run["id"], "completed", "failed")
    assert ended["state"] == "completed", ended
    assert [request.headers["idempotency-key"] for request in server.at("/wait")] == [f"{run['id']}.hook"] * 2


def test_by_default_it_is_not_sent_again(agent: AgentProcess, server: HttpServer, tmp_path: Path) -> None:
    note = {"type": "command", "data": {"command": f"echo $PPID > {tmp_path}/pid"}}
    run = job(agent, [note, hook(server, "/wait")])
    until(lambda: server.at("/wait"), "the request is there")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    ended = agent.run_until(run["id"], "completed", "failed")
    assert (ended["state"], ended["error"]["kind"]) == ("failed", "lost")
    assert len(server.at("/wait")) == 1


def test_a_run_is_told_by_its_steps(agent: AgentProcess, server: HttpServer, box: MailBox, tmp_path: Path) -> None:
    """With reasons, as the API, its log and the command line tell them."""
    server.answers["/hook"] = 404
    box.refuse["a@example.org"] = "550 no such user"
    unless = {"condition": 'ok("Tell them")', "id": "never", "name": "When told"}
    given = [hook(server, on_error="continue"), {**mail(box), **unless}, mail(box, condition="any_failed()")]
    run = job(agent, given)
    ended = agent.run_until(run["id"], "completed", "failed")
    assert ended["state"] == "failed"
    assert ended["error"]["kind"] == "Write to them.refused"
    assert ended["warnings"] == ["Tell them failed: the answer has status 404, expected 200-299: ok"]
    states = {each["id"]: each["state"] for each in ended["result"]["actions"]}
    assert states == {"hook": "failed", "never": "skipped", "mail": "failed"}
    lines = [line["text"] for line in agent.call("GET", f"/api/runs/{run['id']}/log")["lines"]]
    assert "main" in lines
    assert '[When told] skipped: its condition is false: ok("Tell them")' in lines
    assert any(line.startswith("[Tell them] failed: http_status:") for line in lines)
    shown = Shell(agent.data_dir)("run", "show", run["id"], COLUMNS="120")
    rows = {line.split("  ")[0].strip(): line for line in shown.splitlines()}
    assert "completed" in rows["command"]
    assert "its condition is false" in rows["When told"]
    assert "no such user" in rows["Write to them"]


def test_a_mail_job_goes_by_the_agents_own_server(box: MailBox, tmp_path: Path) -> None:
    own = json.dumps({"host": "localhost", "port": box.port, "tls": "none", "from": "Agent <agent@example.net>"})
    with agent_process(tmp_path / "data", "--workers", "1", env={"JOBDECK_SMTP": own}) as agent:
        data = {"to": "a@example.org", "subject": "{{ job.name }}", "text": "{{ run.id }}"}
        run = job(agent, [], type="email", data=data)
        ended = agent.run_until(run["id"], "completed", "failed")
        assert ended["state"] == "completed", ended
        assert box.taken[0].sender == "agent@example.net"
        assert box.taken[0].message["message-id"] == f"<{run['id']}@example.net>"
        assert ended["result"]["accepted"] == ["a@example.org"]
        elsewhere = {**data, "server": {"host": "127.0.0.1", "port": box.port, "tls": "none", "from": "x@example.net"}}
        run = job(agent, [], name="Elsewhere", type="email", data=elsewhere)
        ended = agent.run_until(run["id"], "completed", "failed")
        assert (ended["error"]["kind"], len(box.taken)) == ("address_refused", 1), "a private host that nobody named"


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_each_step_is_done_in_order_and_again_only_where_it_was_cut(
    agent: AgentProcess, server: HttpServer, seed: int
) -> None:
    """Workers die at random moments: a request is repeated only in an attempt after one that was lost in its step."""
    moments = random.Random(seed)
    server.seconds = 0.1
    names = [f"s{number}" for number in range(8)]
    given = [{**hook(server, f"/{name}"), "id": name, "name": name} for name in names]
    run = job(agent, given, policies={"on_lost": "retry", "retry": {"attempts": 100, "backoff": "1 ms"}})
    kills = 0
    while (state := agent.call("GET", f"/api/runs/{run['id']}")["state"]) not in ("completed", "failed"):
        if state == "running" and kills < 8:  # one that only starts is made anew after a pause, the longer each time
            time.sleep(moments.uniform(0, 0.3))  # the moment is the test
            kills += kill_worker(agent)
        time.sleep(0.02)  # between two looks at a run that the kills make long
    assert kills > 2, "nothing was tried"
    ended = agent.call("GET", f"/api/runs/{run['id']}")
    assert ended["state"] == "completed", ended
    assert [each["state"] for each in ended["result"]["actions"]] == ["completed"] * len(names)
    first = [request.path for request in server.seen]
    assert list(dict.fromkeys(first)) == [f"/{name}" for name in names]
    told = steps(agent, run)
    for name in names:
        requests = server.at(f"/{name}")
        cut = sum(1 for _, key, state in told if key == name and state == "failed")
        assert 1 <= len(requests) <= 1 + cut, (name, told)
        assert {request.headers["idempotency-key"] for request in requests} == {f"{run['id']}.{name}"}
    print(f"seed {seed}: {kills} kills, {ended['attempt']} attempts, {len(server.seen)} requests")


def kill_worker(agent: AgentProcess) -> int:
    """How many there were: a worker's keeper is of the same program, and its parent."""
    assert agent.process is not None
    killed = 0
    for process in psutil.Process(agent.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = process.parent()
            if parent is not None and all("agent.workers.main" in each.cmdline() for each in (process, parent)):
                process.kill()
                killed += 1
    return killed
