"""The requests that the documents print, executed as printed but for host, credentials, ids and dates."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.api.conftest import make_world
from tests.contract.api.runs_made import RunMaker
from tests.harness import printed
from tests.harness.agent import RunningAgent, running_agent
from tests.harness.agent_process import agent_process

HOST_000 = "http://127.0.0.1:8000"
HOST_001 = "https://PLATFORM-URL-PLACEHOLDER"
HOST_002 = "https://api.aitronos.com"


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


@pytest.fixture
async def organization(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    """The one that 002 prints."""
    async with running_agent(tmp_path / "d", account="org_xyz789") as agent:
        yield agent


async def places_002(agent: RunningAgent, token: str) -> tuple[str, dict[str, str]]:
    """The run that is to be found, and what stands for what is printed."""
    make = RunMaker(agent)
    job = await make.job(type="kb-sync")
    run = await make.run(job, "completed", took=150, result={"rows_synced": 5000, "bytes_synced": 1048576})
    return run.id, {HOST_002: agent.url, "conn_abc123": job.id, token: await agent.token("read")}


def is_as_printed(answer: dict[str, Any], run_id: str, connection_id: str) -> None:
    """The answer that 002 prints, but for ids and dates."""
    body = json.loads(printed.fenced(printed.document("connector_jobs"), "json 200 OK")[0])
    [example], [found] = body["data"], answer["data"]
    assert answer["total"] == body["total"]
    own = {"job_id": run_id, "connection_id": connection_id, "start_time": found["start_time"]}
    assert found == example | own


async def test_002_by_curl(organization: RunningAgent) -> None:
    [example] = printed.fenced(printed.document("connector_jobs"), "bash cURL")
    run_id, places = await places_002(organization, "$ACCESS_TOKEN")
    command = printed.placed(example, places | {"\\ -H": "\\\n -H"})  # the document has lost its line ends
    is_as_printed((await printed.curl(command)).json, run_id, places["conn_abc123"])


async def test_002_by_python(organization: RunningAgent) -> None:
    [example] = printed.fenced(printed.document("connector_jobs"), "python Python")[1:]
    run_id, places = await places_002(organization, "YOUR_ACCESS_TOKEN")
    lines = re.sub(r" (?=(?:org_id|url|headers|params|response) = |print\()", "\n", printed.placed(example, places))
    is_as_printed((await printed.python(lines)).python, run_id, places["conn_abc123"])


async def test_002_by_javascript(organization: RunningAgent) -> None:
    [example] = printed.fenced(printed.document("connector_jobs"), "javascript JavaScript")
    run_id, places = await places_002(organization, "YOUR_ACCESS_TOKEN")
    code = printed.placed(example, places | {"console.log(data)": "console.log(JSON.stringify(data))"})
    is_as_printed((await printed.node(code)).json, run_id, places["conn_abc123"])


async def test_002_the_printed_refusal(organization: RunningAgent) -> None:
    example = json.loads(printed.fenced(printed.document("connector_jobs"), "json 4xx Error")[0])
    async with organization.tcp(await organization.token("read")) as client:
        path = "/v1/organizations/org_xyz789/knowledge/connectors/jobs/job_abc123"
        answer = (await client.get(path)).json()
    changing = ("message", "trace_id", "timestamp")
    assert set(answer["error"]) == set(example["error"])
    assert {name: value for name, value in answer["error"].items() if name not in changing} == {
        name: value for name, value in example["error"].items() if name not in changing
    }


async def test_003_the_schema_that_is_printed(agent: RunningAgent) -> None:
    """It prints no request: the answers have the fields of its examples, and none besides."""
    make = RunMaker(agent)
    run = await make.run(await make.job(), "completed")
    text = printed.document("job_listing")
    example = json.loads(printed.between(text, '{\n"status": [', "\nAn unexpected error"))
    async with agent.tcp(await agent.token("read")) as client:
        body = {"jobId": run.id, "state": ["JOB_STATE__COMPLETED"], "numResults": 1, "corpusId": [], "pageKey": ""}
        answer = (await client.post("/v1/list-jobs", json=body)).json()
        refused = (await client.post("/v1/list-jobs", json={"numResults": 0})).json()
    assert set(answer) == set(example)
    assert set(answer["job"][0]) == set(example["job"][0])
    assert {name: type(value) for name, value in answer["job"][0].items()} == {
        name: type(value) for name, value in example["job"][0].items()
    }
    assert {"code", "message", "details"} < set(refused)
    assert set(refused["status"][0]) == set(example["status"][0])


async def our_examples(page: str, agent: RunningAgent, places: dict[str, str]) -> list[Any]:
    """What each line of curl in a page of docs/api is answered."""
    text = (Path(__file__).parents[3] / "docs" / "api" / f"{page}.md").read_text()
    lines = [line for block in printed.fenced(text, "bash") for line in block.splitlines() if line.startswith("curl ")]
    assert lines, f"docs/api/{page}.md shows no request"
    answers = []
    for line in lines:
        told = {HOST_000: agent.url, **{name: value for name, value in places.items() if name in line}}
        answers.append((await printed.curl(printed.placed(line, told))).json)
    return answers


async def test_our_page_of_000(world: RunningAgent) -> None:
    [made] = await our_examples("kb-sync", world, {"$TOKEN": await world.token("edit")})
    assert (made["data"]["status"], made["data"]["next_run"]) == ("scheduled", "2030-06-19T18:00:00Z")


async def test_our_page_of_001(agent: RunningAgent) -> None:
    run = await RunMaker(agent).run(await RunMaker(agent).job(), "failed")
    places = {"$TOKEN": await agent.token("read", "run"), "$JOB_ID": run.id}
    read, rerun = await our_examples("background-jobs", agent, places)
    assert (read["data"]["id"], rerun["data"]["originalJobId"]) == (run.id, run.id)


async def test_our_page_of_003(agent: RunningAgent) -> None:
    make = RunMaker(agent)
    job = await make.job()
    done, failed = await make.run(job, "completed"), await make.run(job, "failed")
    first, second = await our_examples("job-listing", agent, {"$TOKEN": await agent.token("read")})
    assert [each["id"] for each in first["job"]] == [done.id]
    assert [each["id"] for each in second["jobs"]] == [failed.id]


async def test_our_page_of_002(world: RunningAgent) -> None:
    run = await RunMaker(world).run(await RunMaker(world).job(type="kb-sync"), "failed")
    token = await world.token("read", "run", "edit")
    [listed] = await our_examples("connector-jobs", world, {"$TOKEN": token})
    assert [each["job_id"] for each in listed["data"]] == [run.id]
    text = (Path(__file__).parents[3] / "docs" / "api" / "connector-jobs.md").read_text()
    [example] = printed.fenced(text, "json")
    root = "/v1/organizations/default/knowledge/connectors"
    async with world.tcp(token) as client:
        source = (await client.get(f"{root}/sources")).json()["data"][0]["source_id"]
        body = printed.placed(example, {'"…"': f'"{source}"', "updated_at": "created_at"})
        made = await client.post(f"{root}/connections", content=body)
        assert made.status_code == 201, made.text
        assert made.json()["schedule"] == json.loads(example)["schedule"]
