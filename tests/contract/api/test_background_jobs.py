"""Contract 001, word by word: `/v1/api/jobs/{id}`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.core.records import RunQuery
from shared.ids import new_id
from tests.contract.api.runs_made import RunMaker
from tests.harness.agent import NOW, RunningAgent, running_agent

PATH = "/v1/api/jobs"
STATES = ("pending", "running", "retrying", "completed", "failed", "cancelled")


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await agent.token("read", "run")) as client:
        yield client


@pytest.fixture
def make(agent: RunningAgent) -> RunMaker:
    return RunMaker(agent)


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"data", "error"}
    assert body["data"] is None
    assert set(body["error"]) == {"name", "message", "details"}
    assert isinstance(body["error"]["details"], dict)
    rated(answer)
    error: dict[str, Any] = body["error"]
    return error


def rated(answer: httpx.Response) -> tuple[int, int, int]:
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    limit, remaining, reset = (int(answer.headers[name]) for name in names)
    assert 0 <= remaining <= limit
    assert reset >= NOW.timestamp()
    return limit, remaining, reset


async def test_a_finished_run_is_answered_as_printed(client: httpx.AsyncClient, make: RunMaker) -> None:
    job = await make.job(type="document_processing")
    run = await make.run(job, "completed", took=300, result={"documents_processed": 50, "errors": 0})
    answer = await client.get(f"{PATH}/{run.id}")
    assert answer.status_code == 200
    assert answer.json() == {
        "data": {
            "id": run.id,
            "type": "document_processing",
            "status": "completed",
            "progress": 100,
            "result": {"documentsProcessed": 50, "errors": 0},
            "createdAt": "2026-03-02T12:00:00Z",
            "completedAt": "2026-03-02T12:05:00Z",
        },
        "error": None,
    }


@pytest.mark.parametrize("state", STATES)
async def test_progress_is_a_percentage_in_every_state_and_whole_only_at_the_end(
    client: httpx.AsyncClient, make: RunMaker, state: str
) -> None:
    said = {} if state == "pending" else {"progress": (5000, 5000)}
    run = await make.run(await make.job(), state, **said)
    data = (await client.get(f"{PATH}/{run.id}")).json()["data"]
    assert data["status"] == {"retrying": "pending"}.get(state, state)
    assert type(data["progress"]) is int
    assert data["progress"] == {"pending": 0, "completed": 100}.get(state, 99)
    over = state in ("completed", "failed", "cancelled")
    assert (data["completedAt"] is not None) is over
    assert (data["result"] is not None) is over
    if over:
        assert type(data["result"]["errors"]) is int


@pytest.mark.parametrize(
    ("progress", "percent"),
    [((0, None), 0), ((7, 0), 0), ((1, 3), 33), ((999, 1000), 99), ((-5, 10), 0), ((30, 10), 99)],
)
async def test_progress_of_odd_numbers(
    client: httpx.AsyncClient, make: RunMaker, progress: tuple[int, int | None], percent: int
) -> None:
    run = await make.run(await make.job(), "running", progress=progress)
    assert (await client.get(f"{PATH}/{run.id}")).json()["data"]["progress"] == percent


@pytest.mark.parametrize(
    ("type_", "said", "result"),
    [
        ("web_crawling", {"pages_crawled": 7, "errors": 2}, {"pagesCrawled": 7, "errors": 2}),
        ("batch_embedding", {"items_embedded": 3}, {"itemsEmbedded": 3, "errors": 0}),
        ("export", {"rows_exported": 9, "files": 1, "errors": 0}, {"rowsExported": 9, "files": 1, "errors": 0}),
        ("import", {"rows_imported": 4, "errors": ["row 7"]}, {"rowsImported": 4, "errors": 1}),
        ("kb-sync", {"rows_synced": 5}, {"rowsSynced": 5, "errors": 0}),
    ],
)
async def test_results_by_type(
    client: httpx.AsyncClient, make: RunMaker, type_: str, said: dict[str, Any], result: dict[str, Any]
) -> None:
    run = await make.run(await make.job(type=type_), "completed", result=said)
    assert (await client.get(f"{PATH}/{run.id}")).json()["data"]["result"] == result


async def test_a_failed_run_says_why_and_counts_at_least_one_error(client: httpx.AsyncClient, make: RunMaker) -> None:
    run = await make.run(await make.job(type="export"), "failed")
    data = (await client.get(f"{PATH}/{run.id}")).json()["data"]
    assert data["result"] == {"rowsExported": 0, "files": 0, "errors": 1, "message": "connection refused"}


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
async def test_a_rerun_names_the_old_run(client: httpx.AsyncClient, make: RunMaker, state: str) -> None:
    run = await make.run(await make.job(), state)
    answer = await client.post(f"{PATH}/{run.id}/rerun")
    assert answer.status_code == 201
    rated(answer)
    data = answer.json()["data"]
    assert data == {
        "id": data["id"],
        "type": "command",
        "status": "pending",
        "originalJobId": run.id,
        "createdAt": "2026-03-02T12:00:00Z",
    }
    assert data["id"] != run.id
    assert (await client.get(f"{PATH}/{data['id']}")).json()["data"]["originalJobId"] == run.id
    assert (await client.get(f"{PATH}/{run.id}")).json()["data"]["status"] == state


async def test_an_active_run_is_not_rerun(client: httpx.AsyncClient, make: RunMaker) -> None:
    run = await make.run(await make.job(), "running")
    assert error_of(await client.post(f"{PATH}/{run.id}/rerun"), 409)["name"] == "ConflictError"


async def test_every_refusal_has_the_envelope_and_the_headers(agent: RunningAgent, make: RunMaker) -> None:
    run = await make.run(await make.job(), "completed")
    async with agent.tcp() as nobody, agent.tcp(await agent.token("read")) as reader:
        assert error_of(await nobody.get(f"{PATH}/{run.id}"), 401)["name"] == "UnauthorizedError"
        assert error_of(await reader.post(f"{PATH}/{run.id}/rerun"), 403)["name"] == "ForbiddenError"
        assert error_of(await reader.get(f"{PATH}/{new_id()}"), 404)["name"] == "NotFoundError"
        assert error_of(await reader.get("/v1/api/nothing"), 404)["name"] == "NotFoundError"
        assert error_of(await reader.delete(f"{PATH}/{run.id}"), 405)["name"] == "MethodNotAllowedError"
        wrong = await reader.get(f"{PATH}/{run.id}", headers={"Host": "elsewhere.example"})
        assert error_of(wrong, 421)["name"] == "MisdirectedRequestError"


async def test_a_defect_is_worded_as_the_others(
    agent: RunningAgent, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(agent.core.runs), "get", broken)
    assert error_of(await client.get(f"{PATH}/{new_id()}"), 500)["name"] == "InternalServerError"


async def test_the_headers_count_down_and_refuse(tmp_path: Path) -> None:
    async with running_agent(tmp_path / "d", requests_per_minute=2) as agent:
        run = await RunMaker(agent).run(await RunMaker(agent).job())
        async with agent.tcp(await agent.token("read")) as client:
            assert rated(await client.get(f"{PATH}/{run.id}"))[:2] == (2, 1)
            limit, remaining, reset = rated(await client.get(f"{PATH}/{run.id}"))
            assert (limit, remaining, reset) == (2, 0, NOW.timestamp() + 60)
            refused = await client.get(f"{PATH}/{run.id}")
            assert error_of(refused, 429)["name"] == "TooManyRequestsError"
            assert refused.headers["Retry-After"] == "30"


@pytest.mark.parametrize(
    "key", ["job_abc123", "0", "'; drop table runs; --", "%ff%fe", "%ed%a0%80", "a" * 5000, "..%2f..%2fetc"]
)
async def test_ids_that_are_none_are_not_found(client: httpx.AsyncClient, key: str) -> None:
    assert error_of(await client.get(f"{PATH}/{key}"), 404)["name"] == "NotFoundError"
    assert error_of(await client.post(f"{PATH}/{key}/rerun"), 404)["name"] == "NotFoundError"


async def test_nul_in_the_id_is_refused_by_name(client: httpx.AsyncClient) -> None:
    assert set(error_of(await client.get(f"{PATH}/a%00b"), 400)["details"]) == {"url"}


async def test_runs_of_other_accounts_are_not_found(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await agent.core.store.ensure_account("other", new_id(), "eve", NOW)
    theirs = RunMaker(agent, "other")
    run = await theirs.run(await theirs.job(), "failed")
    error_of(await client.get(f"{PATH}/{run.id}"), 404)
    error_of(await client.post(f"{PATH}/{run.id}/rerun"), 404)
    assert len(await agent.core.store.list_runs(RunQuery("other"))) == 1
