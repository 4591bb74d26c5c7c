"""A disk that is full for a while: nothing is lost that was promised, and everything goes on when there is room again."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import psutil
from httpx_sse import connect_sse

from tests.harness.agent_process import AgentProcess, agent_process, until


def test_the_agent_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    """No file of the agent may grow beyond 4 KiB for a while: what a full disk does to it, from one moment to the next."""
    flag = tmp_path / "go"
    with agent_process(tmp_path / "data", "--workers", "2") as agent:
        wait = f"echo working; while [ ! -e {flag} ]; do sleep 0.02; done"
        job = _job(agent, "one", {"command": wait}, overlap="allow")
        ticking = _job(agent, "ticking", {"command": "true"}, intervalType="simple", interval="1 second")
        run = agent.call("POST", f"/api/jobs/{job['id']}")
        agent.run_until(run["id"], "running")
        until(lambda: _fires(agent, ticking), "it fires")

        assert agent.process is not None
        process = psutil.Process(agent.process.pid)
        process.rlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        refused = until(lambda: _refused(agent, job), "a write is refused")
        assert "cannot be written" in refused
        assert agent.call("GET", "/api/agent")["storeTrouble"] in refused
        assert "jobdeck_store_writable 0.0" in _metrics(agent)
        last = agent.call("GET", "/api/agent")["lastEventId"]
        assert _next_of_the_store(agent, last) == (None, "refuses")
        assert agent.call("GET", f"/api/runs/{run['id']}")["state"] == "running", "reading goes on"
        flag.touch()
        until(lambda: "end_not_stored" in agent.log.read_text(), "the end of the run cannot be stored")
        assert agent.call("GET", f"/api/runs/{run['id']}")["state"] == "running", "not told before it is stored"

        process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert agent.run_until(run["id"], "completed", "failed")["state"] == "completed"
        number, said = _next_of_the_store(agent, last)
        assert number is not None, "stored when it is over"
        assert (said, _next_of_the_store(agent, number)) == ("refuses", (number + 1, "works"))
        assert "jobdeck_store_writable 1.0" in _metrics(agent)
        assert agent.call("GET", "/api/agent")["storeTrouble"] is None
        seen = len(_fires(agent, ticking))
        until(lambda: len(_fires(agent, ticking)) > seen, "the scheduler goes on")
        again = agent.call("POST", f"/api/jobs/{job['id']}")
        assert agent.run_until(again["id"], "completed", "failed")["state"] == "completed"
        moments = [fire["fireAt"] for fire in _fires(agent, ticking)]
        assert len(set(moments)) == len(moments)


def test_an_agent_that_stops_while_the_disk_is_full_stops(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "data", "--workers", "1", env={"JOBDECK_STOP_GRACE": "0 s"}).start()
    job = _job(agent, "long", {"command": "exec sleep 3600"}, on_lost="retry")
    run = agent.call("POST", f"/api/jobs/{job['id']}")
    agent.run_until(run["id"], "running")
    assert agent.process is not None
    psutil.Process(agent.process.pid).rlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        assert agent.stop() == 0
    finally:
        agent.kill()
    with agent_process(tmp_path / "data", "--workers", "1") as after:
        assert after.run_until(run["id"], "retrying", "running")["error"]["kind"] == "lost"


def _job(agent: AgentProcess, name: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {key: more.pop(key) for key in ("overlap", "on_lost") if key in more}
    policies: dict[str, Any] = {"retry": {"attempts": 3, "backoff": "1 hour"}, "kill_grace": "1 s", **given}
    body = {"name": name, "type": "command", "data": data, "policies": policies, **more}
    job: dict[str, Any] = agent.call("POST", "/api/jobs", body, expect=201)
    return job


def _fires(agent: AgentProcess, job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("GET", f"/api/fires?jobId={job['id']}&limit=200")["items"]
    return found


def _refused(agent: AgentProcess, job: dict[str, Any]) -> str | None:
    with agent.client() as client:
        answer = client.post(f"/api/jobs/{job['id']}/_pause")
        if answer.is_success:
            client.post(f"/api/jobs/{job['id']}/_resume")
            return None
    assert answer.status_code == 503, answer.text
    return answer.text


def _metrics(agent: AgentProcess) -> str:
    with agent.client() as client:
        return client.get("/metrics").text


def _next_of_the_store(agent: AgentProcess, after: int) -> tuple[int | None, str]:
    """The next that a listener hears of the store: the number that it has in the stream, and what it says."""
    with agent.client() as client, connect_sse(client, "GET", f"/api/events?after={after}") as source:
        for event in source.iter_sse():
            if event.event == "agent.changed":
                return int(event.id) if event.id else None, event.json()["data"]["store"]
    raise AssertionError("the stream has ended")
