"""Version 2 of contract 003: `GET /v2/jobs` and `GET /v2/jobs/{id}`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.core.driving import Needs
from shared.ids import new_id
from shared.models import KnowledgeBaseInput
from tests.contract.api.runs_made import RunMaker
from tests.harness.agent import NOW, RunningAgent

PATH = "/v2/jobs"


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await agent.token("read")) as client:
        yield client


@pytest.fixture
def make(agent: RunningAgent) -> RunMaker:
    return RunMaker(agent)


async def ids(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"jobs", "metadata"}
    return [job["id"] for job in answer.json()["jobs"]]


def error_of(answer: httpx.Response, status: int, *more: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()
    assert set(error) == {"messages", "request_id", *more}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert all(isinstance(message, str) and message for message in error["messages"])
    return error


async def test_a_finished_run_in_full(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    await agent.core.world.create_knowledge_base(agent.core.gate.local(), KnowledgeBaseInput(name="orders_kb"))
    job = await make.job(type="corpus-replace-filter-attrs", needs=Needs(knowledge_bases=("orders_kb",)))
    run = await make.run(job, "completed", took=90)
    expected = {
        "id": run.id,
        "type": "replace_filter_attributes",
        "corpus_keys": ["orders_kb"],
        "state": "completed",
        "created_at": "2026-03-02T12:00:00Z",
        "started_at": "2026-03-02T12:00:00Z",
        "completed_at": "2026-03-02T12:01:30Z",
        "created_by_username": "operator",
    }
    assert (await client.get(PATH)).json() == {"jobs": [expected], "metadata": {"page_key": None}}
    assert (await client.get(f"{PATH}/{run.id}")).json() == expected


async def test_all_states_unless_some_are_named(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job()
    by_state = {}
    for state, name in (
        ("completed", "completed"), ("failed", "failed"), ("cancelled", "aborted"), ("retrying", "failed_will_retry"),
        ("running", "started"), ("pending", "queued"),
    ):  # fmt: skip
        by_state[name] = (await make.run(job, state)).id
    assert await ids(client) == list(by_state.values())[::-1]
    for name, run_id in by_state.items():
        assert await ids(client, f"state={name}") == [run_id]
    assert await ids(client, "state=failed&state=queued&state=unknown") == [by_state["queued"], by_state["failed"]]
    assert await ids(client, "state=unknown") == []
    for job_ in (await client.get(PATH)).json()["jobs"]:
        assert ("completed_at" in job_) is (job_["state"] in ("completed", "failed", "aborted"))
        assert ("started_at" in job_) is (job_["state"] not in ("queued", "aborted"))


async def test_by_corpus_and_by_age(agent: RunningAgent, client: httpx.AsyncClient, make: RunMaker) -> None:
    for name in ("one", "two"):
        await agent.core.world.create_knowledge_base(agent.core.gate.local(), KnowledgeBaseInput(name=name))
    old = await make.run(await make.job("A", needs=Needs(knowledge_bases=("one",))))
    agent.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    young = await make.run(await make.job("B", needs=Needs(knowledge_bases=("two",))))
    assert await ids(client, "corpus_key=one") == [old.id]
    assert await ids(client, "corpus_key=one&corpus_key=two") == [young.id, old.id]
    assert await ids(client, "corpus_key=three") == []
    for after in (
        "2026-03-02T12:30:00Z",
        "2026-03-02T14:30:00%2B02:00",
        "2026-03-02T14:30:00+02:00",
        "2026-03-02T12:30:00",
    ):
        assert await ids(client, f"after={after}") == [young.id]
    assert await ids(client, "after=2001-01-01&corpus_key=one") == [old.id]


async def test_pages(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job()
    made = [(await make.run(job)).id for _ in range(11)]
    found, query = list[str](), "limit=4&state=queued"
    while query:
        body = (await client.get(f"{PATH}?{query}")).json()
        found += [each["id"] for each in body["jobs"]]
        key = body["metadata"]["page_key"]
        await make.run(job)
        query = f"page_key={key}&limit=100&state=none" if key else ""
    assert found == made[::-1]


async def test_a_key_of_the_first_version_opens_nothing_here(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job()
    for _ in range(2):
        await make.run(job)
    key = (await client.post("/v1/list-jobs", json={"numResults": 1})).json()["pageKey"]
    for each in (key, "AAAA", "%ff", "x" * 30_000):
        error = error_of(await client.get(PATH, params={"page_key": each}), 400, "field_errors")
        assert set(error["field_errors"]) == {"page_key"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("state=QUEUED", "state"),
        ("state=%ed%a0%80", "state"),
        ("after=yesterday", "after"),
        ("after=99999-01-01", "after"),
        ("&".join(f"corpus_key={number}" for number in range(101)), "corpus_key"),
        ("corpus_key=" + "x" * 201, "corpus_key"),
        ("corpus_key=a%00b", "url"),
    ],
)
async def test_values_that_are_wrong_are_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    error = error_of(await client.get(f"{PATH}?{query}"), 400, "field_errors")
    assert [name.partition(".")[0] for name in error["field_errors"]] == [field]


async def test_what_is_not_there_is_named(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await agent.core.store.ensure_account("other", new_id(), "eve", NOW)
    theirs = RunMaker(agent, "other")
    run = await theirs.run(await theirs.job())
    for key in (new_id(), "job_1", "0", run.id):
        assert error_of(await client.get(f"{PATH}/{key}"), 404, "id")["id"] == key
    assert error_of(await client.get(f"{PATH}/a%2Fb"), 404, "id")["id"] == "a/b"
    assert await ids(client) == []


async def test_who_may_not(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    async with agent.tcp() as nobody, agent.tcp(await agent.token("edit")) as editor:
        error_of(await nobody.get(PATH), 401)
        error_of(await editor.get(PATH), 403)
        error_of(await editor.get(f"{PATH}/{new_id()}"), 403)
    error_of(await client.post(PATH), 405)
