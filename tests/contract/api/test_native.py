"""The native routes over a real core: what they answer, and that they say so in /openapi.json."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from agent.core.wire import WireLine
from shared.models import Job, LogPage, Run
from tests.harness.agent import NOW, RunningAgent

SHELL = {"name": "Nightly dump", "type": "command", "data": {"command": "true"}}


@pytest.fixture
async def client(world: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with world.local() as client:
        yield client


async def made(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/api/jobs", json=SHELL | changed)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/jobs/{answer.json()['id']}"
    job: dict[str, Any] = answer.json()
    return job


def code_of(answer: httpx.Response) -> Any:
    return answer.json()["error"]["code"]


async def test_a_job_is_read_by_id_slug_and_natural_id(client: httpx.AsyncClient) -> None:
    job = await made(client)
    for key in (job["id"], "nightly-dump", "operator:nightly-dump"):
        answer = await client.get(f"/api/jobs/{key}")
        assert Job.model_validate(answer.json()).id == job["id"]
        assert answer.headers["etag"] == '"1"'
    assert code_of(await client.get("/api/jobs/nobody")) == "not_found"


async def test_what_was_read_can_be_sent_back_under_its_version(client: httpx.AsyncClient) -> None:
    job = await made(client)
    path = f"/api/jobs/{job['id']}"
    answer = await client.put(path, json=job | {"description": "new"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    assert answer.json()["description"] == "new"
    assert answer.json()["revision"] == 2
    stale = await client.put(path, json=job, headers={"If-Match": '"1"'})
    assert stale.status_code == 409
    assert code_of(stale) == "stale_version"
    assert (await client.delete(path, headers={"If-Match": '"1"'})).status_code == 409
    wrong = await client.put(path, json=job, headers={"If-Match": "one"})
    assert wrong.json()["error"]["faults"][0]["field"] == "If-Match"
    revisions = (await client.get(f"{path}/revisions")).json()["items"]
    assert [each["revision"] for each in revisions] == [2, 1]
    assert (await client.delete(path, headers={"If-Match": answer.headers["etag"]})).status_code == 204


async def test_jobs_are_paged_sorted_and_searched(client: httpx.AsyncClient) -> None:
    for name in ("c", "a", "b"):
        await made(client, name=name)
    page = (await client.get("/api/jobs", params={"sort": "-name", "limit": 2, "start": 1})).json()
    assert [job["name"] for job in page["_embedded"]["inf:job"]] == ["b", "a"]
    assert (page["start"], page["count"], page["total"]) == (1, 2, 3)
    assert page["_links"]["self"]["href"] == "/api/jobs?sort=-name&limit=2&start=1"
    assert (await client.get("/api/jobs", params={"filter": "type:kb-sync"})).json()["total"] == 0
    assert (await client.get("/api/jobs", params={"q": "b"})).json()["total"] == 1
    assert (await client.get("/api/jobs", params={"filter": "sate:failed"})).status_code == 400
    assert (await client.get("/api/jobs", params={"sort": "owner"})).status_code == 400


async def test_a_job_that_is_there_already_conflicts(client: httpx.AsyncClient) -> None:
    await made(client)
    answer = await client.post("/api/jobs", json=SHELL)
    assert answer.status_code == 409
    assert code_of(answer) == "conflict"


async def test_check_says_faults_and_fires_and_stores_nothing(client: httpx.AsyncClient) -> None:
    hourly = SHELL | {"intervalType": "cron", "interval": "0 * * * *"}
    good = (await client.post("/api/jobs/_check", json=hourly)).json()
    assert good["faults"] == []
    assert good["nextFires"][0] == "2026-03-02T13:00:00Z"
    for bad, field in (({"type": 1}, "name"), (SHELL | {"type": "nothing"}, "type")):
        answer = await client.post("/api/jobs/_check", json=bad)
        assert answer.status_code == 200
        assert field in [fault["field"] for fault in answer.json()["faults"]]
    assert (await client.get("/api/jobs")).json()["total"] == 0


async def test_fire_times(client: httpx.AsyncClient) -> None:
    asked = {
        "intervalType": "cron",
        "interval": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "after": "2026-03-28T00:00:00Z",
    }
    answer = (await client.get("/api/job-fire-times", params=asked | {"count": 2})).json()
    assert answer["fireTimes"] == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z"]
    wrong = await client.get("/api/job-fire-times", params={"intervalType": "cron", "interval": "61 * * * *"})
    assert wrong.status_code == 400


async def test_an_interval_says_by_itself_what_it_is(client: httpx.AsyncClient) -> None:
    """As document 004 asks: `GET /api/job-fire-times?interval=...&timezone=...`."""
    kinds = {
        "0 0 * * *": "cron", "@daily": "cron", "5 4 1 1 1": "cron", "1 hour": "simple", "90m": "simple",
        "2026-12-01T02:00": "once", "2026-12-01 02:00": "once", "20261201T020000": "once",
    }  # fmt: skip
    for interval, kind in kinds.items():
        where = {"interval": interval, "timezone": "America/New_York"}
        found, said = [
            (await client.get("/api/job-fire-times", params=where | more)).json()["fireTimes"]
            for more in ({}, {"intervalType": kind})
        ]
        assert found == said, interval
        job = await made(client, name=interval, **where)
        assert (job["intervalType"], job["nextRunAt"]) == (kind, found[0]), interval
        by_hand = await made(client, name=f"{interval} by hand", **where, intervalType="none")
        assert (by_hand["intervalType"], by_hand["nextRunAt"]) == ("none", None), interval


async def test_what_no_interval_reads_as_is_explained(client: httpx.AsyncClient) -> None:
    for interval in ("0 0 * *", "often", ""):
        answer = await client.get("/api/job-fire-times", params={"interval": interval})
        assert [fault["field"] for fault in answer.json()["error"]["faults"]] == ["interval"], interval


async def test_a_run_is_made_read_cancelled_and_run_again(client: httpx.AsyncClient) -> None:
    job = await made(client)
    answer = await client.post(f"/api/jobs/{job['id']}")
    assert answer.status_code == 202
    run = Run.model_validate(answer.json())
    path = f"/api/runs/{run.id}"
    assert code_of(await client.post(f"{path}/_rerun")) == "conflict"
    assert (await client.get(path)).json()["state"] == "pending"
    assert code_of(await client.post(f"{path}/_cancel", json={"version": 99})) == "stale_version"
    assert (await client.post(f"{path}/_cancel", json={"version": run.version})).json()["state"] == "cancelled"
    assert (await client.post(f"{path}/_cancel")).status_code == 409
    again = await client.post(f"{path}/_rerun")
    assert again.status_code == 201
    assert again.json()["originalRunId"] == run.id
    for part in ("steps", "attempts"):
        assert (await client.get(f"{path}/{part}")).json() == {"items": []}
    counts = (await client.get("/api/runs/counts")).json()
    assert counts["counts"] | {"pending": 1, "cancelled": 1} == counts["counts"]
    assert counts["total"] == 2


async def test_runs_are_keyset_pages(client: httpx.AsyncClient) -> None:
    job = await made(client)
    runs = [(await client.post(f"/api/jobs/{job['id']}")).json()["number"] for _ in range(5)]
    told: list[int] = []
    before: int | None = None
    while True:
        asked = {"jobId": "nightly-dump", "limit": 2} | ({"before": before} if before else {})
        page = (await client.get("/api/runs", params=asked)).json()
        told += [run["number"] for run in page["items"]]
        before = page["before"]
        if before is None:
            break
    assert told == runs[::-1]


async def test_many_runs_are_changed_at_once_each_by_itself(client: httpx.AsyncClient) -> None:
    job = await made(client)
    ids = [(await client.post(f"/api/jobs/{job['id']}")).json()["id"] for _ in range(3)]
    wanted = [{"id": ids[0]}, {"id": ids[1], "version": 99}, {"id": "nobody"}, {"id": ids[2]}]
    items = (await client.post("/api/runs/_bulk", json={"act": "cancel", "runs": wanted})).json()["items"]
    assert [item["ok"] for item in items] == [True, False, False, True]
    assert [item["error"]["code"] for item in items if not item["ok"]] == ["stale_version", "not_found"]
    assert items[0]["run"]["state"] == "cancelled"


async def test_an_undoable_cancel_waits_and_is_taken_back(client: httpx.AsyncClient) -> None:
    run = (await client.post(f"/api/jobs/{(await made(client))['id']}")).json()
    path = f"/api/runs/{run['id']}"
    assert code_of(await client.post(f"{path}/_uncancel")) == "conflict"
    leaving = (await client.post(f"{path}/_cancel", json={"version": run["version"], "undoable": True})).json()
    assert (leaving["state"], leaving["cancelDueAt"]) == ("pending", "2026-03-02T12:00:10Z")
    assert code_of(await client.post(f"{path}/_cancel", json={"version": run["version"]})) == "stale_version"
    assert (await client.post(f"{path}/_cancel", json={"undoable": True})).json() == leaving
    assert code_of(await client.post(f"{path}/_uncancel", json={"version": run["version"]})) == "stale_version"
    back = await client.post(f"{path}/_uncancel", json={"version": leaving["version"]})
    assert (back.json()["cancelRequestedAt"], back.json()["cancelDueAt"]) == (None, None)
    assert back.headers["ETag"] == f'"{leaving["version"] + 1}"'
    await client.post(f"{path}/_cancel", json={"undoable": True})
    assert (await client.post(f"{path}/_cancel")).json()["state"] == "cancelled"


async def test_many_cancels_wait_and_are_taken_back_each_by_itself(client: httpx.AsyncClient) -> None:
    job = await made(client)
    runs = [(await client.post(f"/api/jobs/{job['id']}")).json() for _ in range(3)]
    named = [{"id": run["id"], "version": run["version"]} for run in runs]
    body = {"act": "cancel", "runs": named, "undoable": True}
    items = (await client.post("/api/runs/_bulk", json=body)).json()["items"]
    assert [item["run"]["cancelDueAt"] for item in items] == ["2026-03-02T12:00:10Z"] * 3
    await client.post(f"/api/runs/{runs[1]['id']}/_cancel")
    back = {"act": "uncancel", "runs": [{"id": run["id"]} for run in runs]}
    items = (await client.post("/api/runs/_bulk", json=back)).json()["items"]
    assert [item["ok"] for item in items] == [True, False, True]
    assert items[1]["error"]["code"] == "conflict"
    assert items[0]["run"]["cancelDueAt"] is None
    wrong = await client.post("/api/runs/_bulk", json=back | {"undoable": True})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["faults"][0]["field"] == "undoable"


async def test_a_log_is_read_by_lines_and_followed_to_its_end(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    job = await made(client)
    run_id = (await client.post(f"/api/jobs/{job['id']}")).json()["id"]
    lines = [WireLine(at=NOW, text=f"line {number}") for number in range(1, 11)]
    await agent.core.logs.append(run_id, lines, [])
    page = LogPage.model_validate((await client.get(f"/api/runs/{run_id}/log", params={"start": -3})).json())
    assert [line.number for line in page.lines] == [8, 9, 10]
    heard: list[int] = []
    headers = {"Last-Event-ID": "4"}
    async with aconnect_sse(client, "GET", f"/api/runs/{run_id}/log/follow", headers=headers) as source:
        async for event in source.aiter_sse():
            if event.event == "lines":
                heard += [line["number"] for line in json.loads(event.data)["lines"]]
                if heard[-1] == 10:
                    await agent.core.logs.append(run_id, [WireLine(at=NOW, text="the last")], [])
                    await agent.core.logs.seal(run_id)
            elif event.event == "end":
                break
    assert heard == list(range(5, 12))


async def test_a_log_is_searched_by_text_and_level(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    job = await made(client)
    run_id = (await client.post(f"/api/jobs/{job['id']}")).json()["id"]
    path = f"/api/runs/{run_id}/log/search"
    assert (await client.get(path, params={"text": "x"})).json() == {
        "hits": [], "next": None, "scanned": 0, "total": 0
    }  # fmt: skip
    levels: Any = ("info", "error", "info", "error")
    lines = [WireLine(at=NOW, level=level, text=f"Line {number}") for number, level in enumerate(levels, 1)]
    await agent.core.logs.append(run_id, lines, [])

    async def found(**params: Any) -> tuple[list[int], int | None, int]:
        answer = (await client.get(path, params=params)).json()
        return [line["number"] for line in answer["hits"]], answer["next"], answer["scanned"]

    assert await found(text="line") == ([1], 2, 1)
    assert await found(text="line", start=2, limit=9) == ([2, 3, 4], None, 3)
    assert await found(text="line", matchCase=True) == ([], None, 4)
    assert await found(level="error", start=3) == ([4], None, 2)
    assert await found(level="error", text="2", backwards=True, limit=2) == ([2], None, 4)
    assert await found(text="line", backwards=True, start=-2) == ([3], 2, 1)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"text": "a\nb"}, "text"),
        ({"text": "a\0b"}, "url"),
        ({"level": "fatal"}, "level"),
        ({"text": "x", "start": "one"}, "start"),
        ({"text": "x", "limit": 0}, "limit"),
        ({"text": "x", "limit": 5001}, "limit"),
        ({"text": "x", "regex": "1"}, "regex"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused_by_name(
    client: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    job = await made(client)
    run_id = (await client.post(f"/api/jobs/{job['id']}")).json()["id"]
    answer = await client.get(f"/api/runs/{run_id}/log/search", params=params)
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["error"]["faults"]] == [field]


async def test_a_wait_that_is_over_answers_the_run_as_it_is(client: httpx.AsyncClient) -> None:
    job = await made(client)
    answer = await client.post(f"/api/jobs/{job['id']}", params={"wait": 0.05})
    assert answer.status_code == 202
    assert (await client.post(f"/api/jobs/{job['id']}", params={"wait": 61})).status_code == 400


async def test_the_world(client: httpx.AsyncClient, agent: RunningAgent) -> None:
    data_dir = agent.core.settings.data_dir
    (connection,) = (await client.get("/api/connections")).json()["items"]
    test = (await client.post("/api/connections/orders_db/_test")).json()
    assert test["ok"] is True
    assert test["tables"] == ["orders"]
    (table,) = (await client.get(f"/api/connections/{connection['id']}/tables", params={"table": "orders"})).json()[
        "items"
    ]
    assert [column["name"] for column in table["columns"]] == ["id", "product", "description", "created_at"]
    assert table["columns"][0]["primaryKey"] is True
    (base,) = (await client.get("/api/knowledge-bases")).json()["items"]
    assert base["name"] == "orders_kb"
    assert (await client.put("/api/secrets/db", json={"value": "hunter2"})).status_code == 204
    assert "hunter2" not in (await client.get("/api/secrets")).text + (await client.get("/api/secrets/db")).text
    assert (await client.delete("/api/secrets/db")).status_code == 204
    assert (await client.get("/api/secrets/db")).status_code == 404
    unknown = await client.post("/api/connections", json={"name": "x", "url": "gopher://x"})
    assert unknown.status_code == 400
    own = await client.post("/api/connections", json={"name": "x", "url": f"sqlite:///{data_dir}/jobdeck.db"})
    assert own.status_code == 400
    assert "the agent's own" in own.json()["error"]["faults"][0]["message"]


async def test_the_agent_and_its_drivers(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    info = (await client.get("/api/agent")).json()
    assert info["now"] == "2026-03-02T12:00:00Z"
    assert info["lastEventId"] == await agent.core.store.last_event_id()
    drivers = {driver["type"]: driver for driver in (await client.get("/api/job-drivers")).json()["items"]}
    assert drivers["command"]["runsPrograms"] is True
    assert "source_table" in drivers["kb-sync"]["schema"]["properties"]
    assert (await client.get("/api/fires")).json() == {"items": [], "before": None}


async def test_probes(client: httpx.AsyncClient) -> None:
    await made(client)
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"ready": False, "store": "ok", "workers": "none", "failing": {}}
    text = (await client.get("/metrics")).text
    assert 'jobdeck_runs{state="pending"} 0.0' in text
    assert 'jobdeck_store_bytes{part="used"}' in text
    assert re.search(r'jobdeck_http_request_seconds_count\{method="POST",route="/api/jobs",status="201"\} 1\.0', text)


async def test_every_answer_of_these_tests_is_declared(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    text = json.dumps(described)
    named = set(re.findall(r'#/components/schemas/([^"]+)"', text))
    assert named <= set(described["components"]["schemas"])
    operations = [each for path in described["paths"].values() for each in path.values()]
    ids = [each["operationId"] for each in operations]
    assert len(ids) == len(set(ids))
    create = described["paths"]["/api/jobs"]["post"]
    assert create["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/JobInput"}
    assert {"201", "400", "401", "403", "409", "413", "415", "421", "429", "503"} == set(create["responses"])
    assert all("422" not in each["responses"] for each in operations)


async def test_a_defect_is_told_by_its_request_id_only(
    agent: RunningAgent, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(type(agent.core.jobs), "list", broken)
    for path, code in (("/api/jobs", "internal"),):
        answer = await client.get(path, headers={"X-Request-Id": "abc"})
        assert answer.status_code == 500
        assert code_of(answer) == code
        assert "abc" in answer.json()["error"]["message"]
        assert "secret" not in answer.text
