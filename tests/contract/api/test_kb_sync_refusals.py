"""Contract 000: every fault of the document's table, in the document's words; none of them stores anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.contract.api.test_kb_sync import AHEAD, PRINTED, create, error_of
from tests.harness.agent import RunningAgent

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(standing: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with standing.tcp(await standing.token("read", "edit")) as client:
        yield client


@pytest.mark.parametrize("name", PRINTED)
@pytest.mark.parametrize("value", [..., None, ""], ids=["missing", "null", "empty"])
async def test_each_field_is_required(client: httpx.AsyncClient, name: str, value: Any) -> None:
    body = {key: given for key, given in AHEAD.items() if key != name or value is not ...}
    if value is not ...:
        body[name] = value
    answer = await create(client, body)
    assert answer.status_code == 400
    assert error_of(answer) == {
        "code": "INVALID_REQUEST",
        "message": "Invalid job configuration",
        "details": [f"{name} is required"],
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"job_name": 7}, "INVALID_REQUEST"),
        ({"job_name": "x" * 201}, "INVALID_REQUEST"),
        ({"content_columns": "product"}, "INVALID_REQUEST"),
        ({"content_columns": ["product", 3]}, "INVALID_REQUEST"),
        ({"content_columns": ["product", "product"]}, "INVALID_REQUEST"),
        ({"content_columns": ["nope"]}, "INVALID_REQUEST"),
        ({"source_table": "orders"}, "INVALID_TABLE"),
        ({"source_table": "orders_db."}, "INVALID_TABLE"),
        ({"source_table": "nowhere.orders"}, "INVALID_TABLE"),
        ({"source_table": "orders_db.missing"}, "INVALID_TABLE"),
        ({"kb_name": "nobody_knows"}, "INVALID_KB"),
        ({"kb_name": "orders_db"}, "INVALID_KB"),
        ({"interval": "10 FORTNIGHTS"}, "INVALID_INTERVAL"),
        ({"interval": "30 SECONDS"}, "INVALID_INTERVAL"),
        ({"interval": "0 MINUTES"}, "INVALID_INTERVAL"),
        ({"interval": "1.5 HOURS"}, "INVALID_INTERVAL"),
        ({"interval": "-1 HOURS"}, "INVALID_INTERVAL"),
        ({"interval": "999999999 DAYS"}, "INVALID_INTERVAL"),
        ({"interval": "٣ MINUTES"}, "INVALID_INTERVAL"),
        ({"interval": 10}, "INVALID_INTERVAL"),
        ({"start_time": "tomorrow"}, "INVALID_DATETIME"),
        ({"start_time": 1750000000}, "INVALID_DATETIME"),
        ({"end_time": "2026-02-30T00:00:00"}, "INVALID_DATETIME"),
        ({"end_time": "9999-12-31T23:59:59-10:00"}, "INVALID_DATETIME"),
        ({"end_time": AHEAD["start_time"]}, "INVALID_DATETIME"),
        ({"end_time": "2026-03-03T17:59:59"}, "INVALID_DATETIME"),
        ({"end_time": "2026-04-02T18:00:01"}, "INVALID_DATETIME"),
    ],
)
async def test_one_fault_gives_its_own_code(client: httpx.AsyncClient, change: dict[str, Any], code: str) -> None:
    answer = await create(client, AHEAD | change)
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["code"] == code, error
    assert len(error["details"]) == 1
    assert (await client.get("/api/jobs")).json()["total"] == 0


async def test_three_faults_at_once_are_all_told(client: httpx.AsyncClient) -> None:
    body = {key: value for key, value in AHEAD.items() if key != "job_name"}
    answer = await create(client, body | {"interval": "often", "end_time": "2026-03-01T00:00:00"})
    assert answer.status_code == 400
    assert error_of(answer) == {
        "code": "INVALID_REQUEST",
        "message": "Invalid job configuration",
        "details": ["job_name is required", "invalid interval format", "end_time must be after start_time"],
    }


async def test_a_missing_knowledge_base_hides_no_missing_column(client: httpx.AsyncClient) -> None:
    answer = await create(client, AHEAD | {"kb_name": "nobody_knows", "content_columns": ["product", "nope"]})
    error = error_of(answer)
    assert error["code"] == "INVALID_REQUEST"
    assert [detail.partition(":")[0] for detail in error["details"]] == ["kb_name", "content_columns"]


async def test_a_wrong_interval_is_explained(client: httpx.AsyncClient) -> None:
    error = error_of(await create(client, AHEAD | {"interval": "10 FORTNIGHTS"}))
    assert error["details"] == ["invalid interval format"]
    assert "10 FORTNIGHTS" in error["message"]
    assert "MINUTES" in error["message"]


async def test_a_body_that_is_no_object_is_refused(client: httpx.AsyncClient) -> None:
    for body in ([], "x", 1, None, True):
        answer = await create(client, body)
        assert answer.status_code == 400
        assert error_of(answer)["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused_in_the_contracts_words(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/jobs/create")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        assert error_of(answer)["code"] == "METHOD_NOT_ALLOWED"
