"""Contract 003, word by word: `POST /v1/list-jobs`."""

from __future__ import annotations

import asyncio
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.core.driving import Needs
from shared.ids import new_id
from shared.models import KnowledgeBaseInput
from tests.contract.api.runs_made import RunMaker
from tests.contract.api.test_kb_sync import AHEAD
from tests.harness.agent import NOW, RunningAgent, running_agent

PATH = "/v1/list-jobs"
ALL = ["QUEUED", "STARTED", "COMPLETED", "FAILED", "TRANSIENT_FAILURE_RETRY_IMMINENT", "ABORTED", "UNKNOWN"]
EPOCH = int(NOW.timestamp())
REBUILD = "corpus-rebuild-vector-index"


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await agent.token("read")) as client:
        yield client


@pytest.fixture
def make(agent: RunningAgent) -> RunMaker:
    return RunMaker(agent)


async def listed(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    assert set(said) == {"status", "job", "pageKey"}
    assert said["status"] == []
    return said


async def ids(client: httpx.AsyncClient, **body: Any) -> list[str]:
    return [job["id"] for job in (await listed(client, **body))["job"]]


def error_of(answer: httpx.Response, http: int, code: int, status: str) -> dict[str, Any]:
    assert answer.status_code == http, answer.text
    error: dict[str, Any] = answer.json()
    assert set(error) == {"code", "message", "details", "status"}
    assert error["code"] == code
    assert error["details"] == []
    assert {each["code"] for each in error["status"]} == {status}
    assert all(each["statusDetail"] for each in error["status"])
    return error


async def base(agent: RunningAgent, name: str) -> int:
    made = await agent.core.world.create_knowledge_base(agent.core.gate.local(), KnowledgeBaseInput(name=name))
    return int(made.number)


async def test_a_finished_run_has_the_shape_of_the_schema(
    agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker
) -> None:
    number = await base(agent, "orders_kb")
    job = await make.job(type=REBUILD, needs=Needs(knowledge_bases=("orders_kb",)))
    run = await make.run(job, "completed", took=90)
    said = await listed(client, state=["JOB_STATE__COMPLETED"])
    assert said["job"] == [
        {
            "id": run.id,
            "type": "JOB__CORPUS_REBUILD_VECTOR_INDEX",
            "corpusId": [number],
            "state": "JOB_STATE__COMPLETED",
            "tsCreate": str(EPOCH),
            "tsStart": str(EPOCH),
            "tsComplete": str(EPOCH + 90),
            "userHandle": "operator",
        }
    ]
    assert said["pageKey"] == ""


async def test_moments_that_have_not_come_are_absent(client: httpx.AsyncClient, make: RunMaker) -> None:
    run = await make.run(await make.job())
    [job] = (await listed(client))["job"]
    assert job == {
        "id": run.id,
        "type": "JOB__UNKNOWN",
        "corpusId": [],
        "state": "JOB_STATE__QUEUED",
        "tsCreate": str(EPOCH),
        "userHandle": "operator",
    }


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ("pending", "QUEUED"),
        ("running", "STARTED"),
        ("retrying", "TRANSIENT_FAILURE_RETRY_IMMINENT"),
        ("completed", "COMPLETED"),
        ("failed", "FAILED"),
        ("cancelled", "ABORTED"),
    ],
)
async def test_each_state_in_both_spellings(client: httpx.AsyncClient, make: RunMaker, state: str, name: str) -> None:
    run = await make.run(await make.job(), state)
    for spelling in (name, f"JOB_STATE__{name}"):
        [job] = (await listed(client, state=[spelling]))["job"]
        assert (job["id"], job["state"]) == (run.id, f"JOB_STATE__{name}")
    others = [other for other in ALL if other != name]
    assert await ids(client, state=others) == []
    assert await ids(client, state=["UNKNOWN"]) == []


async def test_without_states_those_that_wait_and_run_also_by_id(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job()
    done = await make.run(job, "completed")
    running = await make.run(job, "running")
    waiting = await make.run(job)
    assert await ids(client) == [waiting.id, running.id]
    assert await ids(client, state=[]) == [waiting.id, running.id]
    assert await ids(client, jobId=done.id) == []
    assert await ids(client, jobId=done.id, state=ALL) == [done.id]
    assert await ids(client, jobId=running.id) == [running.id]
    for nobody in (new_id(), "SDIzYktHMzNHMlJpsbXC8pRDZL2Iw1JV41cTcneieXc2CA==", "job_1"):
        assert await ids(client, jobId=nobody, state=ALL) == []


async def test_corpora_are_those_of_the_revision_that_ran(
    agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker
) -> None:
    one, two = await base(agent, "one"), await base(agent, "two")
    job = await make.job("A", needs=Needs(knowledge_bases=("one",)))
    before = await make.run(job)
    await make.republish(job, Needs(knowledge_bases=("two", "one")))
    after = await make.run(job)
    other = await make.run(await make.job("B"))
    assert await ids(client, corpusId=[one]) == [after.id, before.id]
    assert await ids(client, corpusId=[two]) == [after.id]
    assert await ids(client, corpusId=[str(two), one]) == [after.id, before.id]
    assert await ids(client, corpusId=[two + 100]) == []
    assert await ids(client, corpusId=[]) == [other.id, after.id, before.id]
    told = {each["id"]: each["corpusId"] for each in (await listed(client))["job"]}
    assert told == {before.id: [one], after.id: [one, two], other.id: []}


async def test_a_published_job_says_itself_what_it_works_with(world: RunningAgent) -> None:
    async with world.tcp(await world.token("read", "edit", "run")) as client:
        made = await client.post("/jobs/create", json=AHEAD)
        run = (await client.post(f"/api/jobs/{made.json()['data']['job_id']}")).json()
        [job] = (await listed(client))["job"]
        assert job["id"] == run["id"]
        [number] = job["corpusId"]
        assert await ids(client, corpusId=[number]) == [run["id"]]


async def test_filters_are_anded(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    number = await base(agent, "one")
    job = await make.job("A", needs=Needs(knowledge_bases=("one",)))
    failed = await make.run(job, "failed")
    await make.run(await make.job("B"), "failed")
    await make.run(job)
    assert await ids(client, corpusId=[number], state=["FAILED"]) == [failed.id]
    assert await ids(client, corpusId=[number], state=["FAILED"], epochSecs=EPOCH + 1) == []


async def test_since_when(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job()
    old = await make.run(job)
    agent.clock.advance(timedelta(days=100))  # type: ignore[attr-defined]
    young = await make.run(job)
    now = int(make.now.timestamp())
    assert await ids(client) == [young.id, old.id]
    assert await ids(client, epochSecs=now) == [young.id]
    assert await ids(client, epochSecs=str(EPOCH)) == [young.id, old.id]
    assert await ids(client, epochSecs=EPOCH + 1) == [young.id]
    assert await ids(client, epochSecs=now + 1) == []
    assert await ids(client, epochSecs=2**62) == []
    agent.clock.advance(timedelta(days=100))  # type: ignore[attr-defined]
    assert await ids(client) == [young.id]
    half_a_year = int(make.now.timestamp()) - 180 * 86400
    assert await ids(client, epochSecs=half_a_year - 300) == [young.id]
    refused = await client.post(PATH, json={"epochSecs": half_a_year - 301})
    assert "epochSecs" in error_of(refused, 400, 3, "INVALID_ARGUMENT")["message"]


async def test_a_clock_that_was_set_back_hides_nothing(
    agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker
) -> None:
    job = await make.job()
    young = await make.run(job)
    agent.clock.set_wall(NOW - timedelta(hours=3))  # type: ignore[attr-defined]
    for _ in range(5):
        await make.run(job)
    agent.clock.set_wall(NOW + timedelta(hours=1))  # type: ignore[attr-defined]
    assert await ids(client, epochSecs=EPOCH - 60) == [young.id]


async def test_pages_neither_skip_nor_repeat_while_runs_are_made(
    agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker
) -> None:
    number = await base(agent, "one")
    job = await make.job("A", needs=Needs(knowledge_bases=("one",)))
    made = [(await make.run(job)).id for _ in range(25)]
    found: list[str] = []
    page = await listed(client, numResults="7", corpusId=[number], state=["QUEUED", "STARTED"])
    while True:
        found += [each["id"] for each in page["job"]]
        if not page["pageKey"]:
            break
        assert len(page["job"]) == 7
        await make.run(job)  # it comes before the first page, not into any other
        # with a key all else is ignored, wrong as it may be
        page = await listed(client, pageKey=page["pageKey"], numResults=0, state=["NONE"], epochSecs="x")
    assert found == made[::-1]


async def test_ten_unless_asked_and_a_key_only_where_more_comes(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job()
    for _ in range(10):
        await make.run(job)
    assert (await listed(client))["pageKey"] == ""
    await make.run(job)
    page = await listed(client)
    assert len(page["job"]) == 10
    assert page["pageKey"]
    assert len((await listed(client, pageKey=page["pageKey"]))["job"]) == 1
    assert len((await listed(client, numResults=100))["job"]) == 11


async def test_a_key_is_of_its_account_its_agent_and_its_contract(
    agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker, tmp_path: Path
) -> None:
    job = await make.job()
    for _ in range(3):
        await make.run(job)
    key = (await listed(client, numResults=1))["pageKey"]
    await agent.core.store.ensure_account("other", new_id(), "eve", NOW)
    token = await agent.token("read", account="other")
    raw = urlsafe_b64decode(key)
    forged = urlsafe_b64encode(raw.replace(b'"limit":1', b'"limit":9')).decode()
    unsigned = urlsafe_b64encode(raw.rpartition(b".")[0]).decode()
    v2 = (await client.get("/v2/jobs?limit=1")).json()["metadata"]["page_key"]
    assert forged != key
    async with agent.tcp(token) as theirs, running_agent(tmp_path / "another") as another:
        refused = [await theirs.post(PATH, json={"pageKey": key})]
        async with another.tcp(await another.token("read")) as elsewhere:
            refused.append(await elsewhere.post(PATH, json={"pageKey": key}))
        wrong = [
            forged,
            unsigned,
            v2,
            key[:-4],
            key[:-1],
            key[4:],
            f"{key}=",
            f" {key}",
            "AAAA",
            "%",
            "é",
            "\0x",
            "a" * 50_000,
        ]
        for each in wrong:
            refused += [await client.post(PATH, json={"pageKey": each})]
        refused.append(await client.post(PATH, json={"pageKey": 7}))
    for answer in refused:
        error_of(answer, 400, 3, "INVALID_ARGUMENT")
    assert len(await ids(client, pageKey=key)) == 1


async def test_the_body_comes_with_and_without_a_media_type(client: httpx.AsyncClient, make: RunMaker) -> None:
    run = await make.run(await make.job())
    for headers in ({}, {"Content-Type": "application/json"}, {"Content-Type": "application/json; charset=utf-8"}):
        for body in (b"{}", b"", b'{"unknown": [1], "jobId": null, "state": null}'):
            answer = await client.post(PATH, content=body, headers=headers)
            assert [job["id"] for job in answer.json()["job"]] == [run.id]
    answer = await client.post(PATH, content=b"{}", headers={"Content-Type": "text/plain"})
    error_of(answer, 415, 3, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_that_is_too_large(tmp_path: Path) -> None:
    async with (
        running_agent(tmp_path / "d", max_body_bytes=2000) as agent,
        agent.tcp(await agent.token("read")) as client,
    ):
        error_of(await client.post(PATH, content=b" " * 2001), 413, 3, "INVALID_ARGUMENT")


async def test_the_customer_is_the_callers_account(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    number = await agent.core.store.account_number("default")
    for said in ("default", str(number), ""):
        assert (await client.post(PATH, json={}, headers={"customer-id": said})).status_code == 200
    await agent.core.store.ensure_account("other", new_id(), "eve", NOW)
    for said in ("other", str(number + 1), "0", "x" * 3000, "' or 1=1"):
        answer = await client.post(PATH, json={}, headers={"customer-id": said})
        error_of(answer, 403, 7, "INVALID_CUSTOMER_ID")


async def test_timeouts_that_are_none(client: httpx.AsyncClient) -> None:
    for said in ("1S", "300S", "30s"):
        assert (await client.post(PATH, json={}, headers={"timeout": said})).status_code == 200
    for said in ("0S", "301S", "30", "S", "1.5S", "-1S", "1M", "9" * 500 + "S"):
        answer = await client.post(PATH, json={}, headers={"timeout": said})
        assert "timeout" in error_of(answer, 400, 3, "INVALID_ARGUMENT")["message"]


async def test_an_answer_that_takes_longer_than_its_timeout(agent: RunningAgent) -> None:
    """All of the store's readers are busy with questions that take long."""
    go = threading.Event()
    busy = [asyncio.ensure_future(agent.agent.sql._read(lambda _connection: go.wait(60))) for _ in range(4)]
    async with agent.local() as client:
        try:
            error_of(await client.post(PATH, json={}, headers={"timeout": "1S"}), 504, 4, "DEADLINE_EXCEEDED")
        finally:
            go.set()
            await asyncio.gather(*busy)
        assert await ids(client) == []


async def test_who_may_not(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    async with agent.tcp() as nobody, agent.tcp("jd_wrong") as wrong, agent.tcp(await agent.token("edit")) as editor:
        error_of(await nobody.post(PATH, json={}), 401, 16, "UNAUTHENTICATED")
        error_of(await wrong.post(PATH, json={}), 401, 16, "UNAUTHENTICATED")
        error_of(await editor.post(PATH, json={}), 403, 7, "PERMISSION_DENIED")
    error_of(await client.get(PATH), 405, 12, "METHOD_NOT_ALLOWED")


async def test_a_key_that_has_expired(agent: RunningAgent) -> None:
    token = await agent.token("read", expires="1 hour")
    async with agent.tcp(token) as client:
        assert (await client.post(PATH, json={})).status_code == 200
        agent.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]
        error_of(await client.post(PATH, json={}), 401, 16, "EXPIRED_API_KEY")


async def test_the_rate(tmp_path: Path) -> None:
    async with (
        running_agent(tmp_path / "d", requests_per_minute=1) as agent,
        agent.tcp(await agent.token("read")) as client,
    ):
        assert (await client.post(PATH, json={})).status_code == 200
        refused = await client.post(PATH, json={})
        error_of(refused, 429, 8, "TOO_MANY_REQUESTS")
        assert refused.headers["Retry-After"] == "60"


async def test_runs_of_other_accounts_are_not_listed(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await agent.core.store.ensure_account("other", new_id(), "eve", NOW)
    theirs = RunMaker(agent, "other")
    run = await theirs.run(await theirs.job())
    assert await ids(client) == []
    assert await ids(client, jobId=run.id) == []
