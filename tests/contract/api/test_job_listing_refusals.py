"""Contract 003: bodies of `POST /v1/list-jobs` that are refused, each fault named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.contract.api.test_job_listing import PATH, error_of
from tests.harness.agent import RunningAgent

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(standing: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with standing.tcp(await standing.token("read")) as reader:
        yield reader


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("jobId", [7, [], {}, True]),
        ("corpusId", [7, "7", ["x"], [1.5], [True], [2**63], [None], [[1]], ["9" * 400], list(range(101))]),
        ("epochSecs", [-1, 0, "soon", 1.5, [], True, -(2**63) - 1, "1e9"]),
        ("state", ["QUEUED", ["RUNNING"], [1], [None], ["JOB_STATE__"], [["QUEUED"]], ["\ud800"]]),
        ("numResults", [0, 101, -1, "ten", 1.5, True, [], 2**64, "0x10"]),
        ("pageKey", [1, [], {}, True]),
    ],
)
async def test_values_that_are_wrong_are_named(reader: httpx.AsyncClient, field: str, values: list[Any]) -> None:
    for value in values:
        answer = await reader.post(PATH, content=json.dumps({field: value}))
        error = error_of(answer, 400, 3, "INVALID_ARGUMENT")
        assert field in error["message"] or "not valid JSON" in error["message"], value


async def test_all_faults_are_told(reader: httpx.AsyncClient) -> None:
    answer = await reader.post(PATH, json={"numResults": 0, "state": ["X"], "corpusId": 1})
    assert len(error_of(answer, 400, 3, "INVALID_ARGUMENT")["status"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"\xff",
        b'{"jobId": "a\\u0000b"}',
        b'{"jobId": "\\ud800"}',
        b'{"x":' + b"[" * 10_000,
    ],
)
async def test_bodies_that_are_none(reader: httpx.AsyncClient, body: bytes) -> None:
    error_of(await reader.post(PATH, content=body), 400, 3, "INVALID_ARGUMENT")
