"""The requests that the documents print, executed as printed but for host, credentials, ids and dates."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.api.conftest import make_world
from tests.contract.api.runs_made import RunMaker
from tests.harness import printed
from tests.harness.agent import RunningAgent, running_agent
from tests.harness.agent_process import agent_process

HOST_000 = "http://127.0.0.1:8000"
HOST_001 = "https://PLATFORM-URL-PLACEHOLDER"


@pytest.fixture
async def open_agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    """As the examples of 000 need it, which send no credentials."""
    async with running_agent(tmp_path / "d", anonymous_account="default") as agent:
        await make_world(agent, tmp_path)
        yield agent


async def test_000_by_curl(open_agent: RunningAgent) -> None:
    [example] = printed.fenced(printed.document("kb_sync"), "bash")
    answer = (await printed.curl(printed.placed(example, {HOST_000: open_agent.url}))).json
    assert answer["success"] is True
    assert answer["data"]["job_name"] == "sync_orders"


async def test_000_by_python(open_agent: RunningAgent) -> None:
    [example] = printed.fenced(printed.document("kb_sync"), "python")
    answer = (await printed.python(printed.placed(example, {HOST_000: open_agent.url}))).python
    assert answer["data"]["job_name"] == "sync_orders"


async def test_000_by_javascript(open_agent: RunningAgent) -> None:
    [example] = printed.fenced(printed.document("kb_sync"), "javascript")
    code = printed.placed(example, {HOST_000: open_agent.url, "console.log(data)": "console.log(JSON.stringify(data))"})
    assert (await printed.node(code)).json["data"]["job_name"] == "sync_orders"


async def test_000_the_printed_body_alone(open_agent: RunningAgent) -> None:
    """The example request without a program around it."""
    body = json.loads(printed.fenced(printed.document("kb_sync"), "json")[0])
    async with open_agent.tcp() as client:
        assert (await client.post("/jobs/create", json=body)).status_code == 201


async def test_001_by_curl(agent: RunningAgent) -> None:
    text = printed.document("background_jobs")
    first, second = re.findall(r"curl .*\n.*", text)
    make = RunMaker(agent)
    run = await make.run(await make.job(), "completed")
    token = await agent.token("read", "run")
    places = {HOST_001: agent.url, "{jobId}": run.id, "YOUR_API_KEY": token}
    assert (await printed.curl(printed.placed(first, places))).json["data"]["status"] == "completed"
    again = (await printed.curl(printed.placed(second, places))).json
    assert again["data"]["originalJobId"] == run.id


def test_001_its_polling_loop_sees_a_real_job_to_the_end(tmp_path: Path) -> None:
    """The document's own program against an agent that works; the job ends when the program has seen it running."""
    loop = printed.between(printed.document("background_jobs"), "import requests", "Best Practices")
    go = tmp_path / "go"
    with agent_process(tmp_path / "d") as agent:
        waiting = {"command": f"until [ -e {go} ]; do sleep 0.1; done"}
        job = agent.call("POST", "/api/jobs", {"name": "Waits", "type": "command", "data": waiting})
        run = agent.call("POST", f"/api/jobs/{job['id']}")
        agent.run_until(run["id"], "running")
        places = {"your_api_key": agent.token("read"), "job_abc123": run["id"], HOST_001: agent.url}
        with printed.python_program(printed.placed(loop, places)) as program:
            assert program.line() == "Job running: 0%"
            go.touch()
            ended = agent.run_until(run["id"], "completed", "failed")
            assert (ended["state"], program.line().partition(": ")[0]) == ("completed", "Job completed")
            assert program.wait() == 0
