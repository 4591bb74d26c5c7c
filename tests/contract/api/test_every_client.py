"""The requests that the documents speak of, and their refusals, by each of the clients that they print: curl, Python's
requests and Node's fetch. Who asks by whichever of them is answered the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.core.driving import Needs
from shared.models import Run
from tests.contract.api.runs_made import RunMaker
from tests.contract.api.test_kb_sync import AHEAD
from tests.harness import printed
from tests.harness.agent import RunningAgent

ANY = ...
NOBODY = "0190a8b0-0000-7000-8000-000000000000"
CONNECTORS = "/v1/organizations/default/knowledge/connectors"


@dataclass(frozen=True, slots=True)
class Exchange:
    """`said`: what the answer holds at least; ANY where it may be anything. `to` None: without a body."""

    method: str
    path: str
    status: int
    said: Any = None
    to: Any = None
    by: str = "all"
    """Whose token: `all` scopes, those of `nobody`, or of who may only `read` or only `edit`."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """What a client finds, made for it alone."""

    who: str
    sync: str
    done: Run
    failed: Run
    waiting: Run
    running: Run


def of_000(given: Given) -> list[Exchange]:
    body = AHEAD | {"job_name": f"orders by {given.who}"}
    nameless = {name: value for name, value in body.items() if name != "job_name"}

    def refused(code: str, **details: Any) -> dict[str, Any]:
        return {"success": False, "error": {"code": code, "message": ANY, "details": ANY} | details}

    def wrong(code: str, **change: Any) -> Exchange:
        return Exchange("POST", "/jobs/create", 400, refused(code), body | change)

    data = {"job_id": ANY, "job_name": body["job_name"], "status": "scheduled", "created_at": "2026-03-02T12:00:00Z"}
    made = {"success": True, "message": "Job created successfully", "data": data | {"next_run": "2026-03-03T18:00:00Z"}}
    printed_fault = {
        "message": "Invalid job configuration",
        "details": ["job_name is required", "invalid interval format"],
    }
    return [
        Exchange("POST", "/jobs/create", 201, made, body),
        wrong("DUPLICATE_JOB"),
        Exchange("POST", "/jobs/create", 400, refused("INVALID_REQUEST", **printed_fault), nameless | {"interval": "often"}),
        wrong("INVALID_TABLE", job_name="other", source_table="orders_db.nothing"),
        wrong("INVALID_KB", job_name="other", kb_name="nobody_knows"),
        wrong("INVALID_INTERVAL", job_name="other", interval="30 SECONDS"),
        wrong("INVALID_DATETIME", job_name="other", start_time="tomorrow"),
        Exchange("POST", "/jobs/create", 401, refused("UNAUTHENTICATED"), body, by="nobody"),
        Exchange("POST", "/jobs/create", 403, refused("FORBIDDEN"), body, by="read"),
        Exchange("GET", "/jobs/create", 405, refused("METHOD_NOT_ALLOWED")),
    ]  # fmt: skip


def of_001(given: Given) -> list[Exchange]:
    path = "/v1/api/jobs"

    def refused(name: str) -> dict[str, Any]:
        return {"data": None, "error": {"name": name, "message": ANY, "details": {}}}

    done = {"id": given.done.id, "type": "kb-sync", "status": "completed", "progress": 100, "createdAt": ANY}
    result = {"rowsSynced": 5000, "bytesSynced": 1048576, "errors": 0}
    again = {"id": ANY, "type": "kb-sync", "status": "pending", "originalJobId": given.done.id, "createdAt": ANY}
    return [
        Exchange("GET", f"{path}/{given.done.id}", 200, {"data": done | {"result": result, "completedAt": ANY}, "error": None}),
        Exchange("GET", f"{path}/{given.waiting.id}", 200, {"data": {"status": "pending", "progress": 0, "result": None}}),
        Exchange("POST", f"{path}/{given.done.id}/rerun", 201, {"data": again, "error": None}),
        Exchange("GET", f"{path}/{NOBODY}", 404, refused("NotFoundError")),
        Exchange("POST", f"{path}/{given.running.id}/rerun", 409, refused("ConflictError")),
        Exchange("GET", f"{path}/{given.done.id}", 401, refused("UnauthorizedError"), by="nobody"),
        Exchange("POST", f"{path}/{given.done.id}/rerun", 403, refused("ForbiddenError"), by="read"),
    ]  # fmt: skip


def of_002(given: Given) -> list[Exchange]:
    jobs = f"{CONNECTORS}/jobs"
    done = {
        "job_id": given.done.id, "status": "succeeded", "job_type": "sync", "start_time": ANY,
        "connection_id": given.sync, "bytes_synced": 1048576, "rows_synced": 5000, "duration": "PT2M30S",
    }  # fmt: skip

    def refused(status: int, code: str) -> dict[str, Any]:
        same = {"code": code, "message": ANY, "type": "client_error", "status": status, "details": ANY}
        return {"success": False, "error": same | {"trace_id": ANY, "timestamp": ANY}}

    every = f"connection_id={given.sync}&job_type=sync&status=succeeded&limit=5&offset=0&order_by=-start_time"
    trigger = {"connection_id": given.sync, "job_type": "reset"}
    return [
        Exchange("GET", f"{jobs}?{every}", 200, {"data": [done], "total": 1}),
        Exchange("GET", f"{jobs}/{given.done.id}", 200, done),
        Exchange("POST", jobs, 201, {"status": "pending", "job_type": "reset", "start_time": None, "duration": None}, trigger),
        Exchange("POST", f"{jobs}/{given.failed.id}/retry", 200, {"status": "pending", "connection_id": given.sync}),
        Exchange("POST", f"{jobs}/{given.done.id}/retry", 400, refused(400, "CONNECTOR_JOB_RETRY_FAILED")),
        Exchange("DELETE", f"{jobs}/{given.waiting.id}", 204),
        Exchange("DELETE", f"{jobs}/{given.waiting.id}", 409, refused(409, "CONNECTOR_JOB_NOT_CANCELLABLE")),
        Exchange("GET", f"{jobs}/{given.done.id}/logs", 200, {"data": [], "total": 0}),
        Exchange("GET", f"{jobs}?status=completed", 400, refused(400, "INVALID_REQUEST")),
        Exchange("GET", f"{jobs}/job_abc123", 404, refused(404, "CONNECTOR_JOB_NOT_FOUND")),
        Exchange("GET", jobs.replace("default", "org_xyz789"), 404, refused(404, "ORGANIZATION_NOT_FOUND")),
        Exchange("GET", jobs, 401, refused(401, "UNAUTHENTICATED"), by="nobody"),
        Exchange("POST", jobs, 403, refused(403, "FORBIDDEN"), trigger, by="read"),
    ]  # fmt: skip


def of_003(given: Given) -> list[Exchange]:
    path = "/v1/list-jobs"

    def refused(code: int, name: str) -> dict[str, Any]:
        return {"code": code, "message": ANY, "details": [], "status": [{"code": name, "statusDetail": ANY}]}

    job = {
        "id": given.done.id,
        "type": "JOB__UNKNOWN",
        "corpusId": [1],
        "state": "JOB_STATE__COMPLETED",
        "userHandle": "operator",
    }
    found = {"status": [], "job": [job | {"tsCreate": ANY, "tsStart": ANY, "tsComplete": ANY}], "pageKey": ""}
    wanted = {
        "jobId": given.done.id,
        "corpusId": ["1"],
        "epochSecs": 1771000000,
        "state": ["JOB_STATE__COMPLETED"],
        "numResults": 1,
    }
    return [
        Exchange("POST", path, 200, found, wanted, headers={"customer-id": "default", "timeout": "30S"}),
        Exchange("POST", path, 200, {"status": [], "job": []}, {"corpusId": [99]}),
        Exchange("POST", path, 400, refused(3, "INVALID_ARGUMENT"), {"numResults": 101}),
        Exchange("POST", path, 400, refused(3, "INVALID_ARGUMENT"), {"pageKey": "AAAA"}),
        Exchange("POST", path, 400, refused(3, "INVALID_ARGUMENT"), {}, headers={"timeout": "301S"}),
        Exchange("POST", path, 401, refused(16, "UNAUTHENTICATED"), {}, by="nobody"),
        Exchange("POST", path, 403, refused(7, "PERMISSION_DENIED"), {}, by="edit"),
        Exchange("POST", path, 403, refused(7, "INVALID_CUSTOMER_ID"), {}, headers={"customer-id": "other"}),
        Exchange("GET", "/v2/jobs?state=completed&corpus_key=orders_kb&limit=100", 200, {"metadata": ANY, "jobs": ANY}),
        Exchange("GET", f"/v2/jobs/{given.done.id}", 200, {"id": given.done.id, "state": "completed"}),
        Exchange("GET", f"/v2/jobs/{NOBODY}", 404, {"id": NOBODY, "request_id": ANY}),
        Exchange("GET", "/v2/jobs", 403, {"messages": ANY, "request_id": ANY}, by="edit"),
    ]  # fmt: skip


def of_004(given: Given) -> list[Exchange]:
    """What the document names by path or speaks of."""
    slug, name = f"nightly-{given.who}", f"Nightly {given.who}"
    job = f"/api/jobs/{slug}"
    daily = {
        "interval": "0 0 * * *",
        "intervalType": "cron",
        "timezone": "America/New_York",
        "startOn": None,
        "endOn": None,
    }
    definition = {
        "name": name,
        "type": "api-call",
        "data": {"url": "https://example.org/"},
        "description": "",
        "enabled": True,
    } | daily
    hook = {
        "id": "tell",
        "type": "webhook",
        "condition": "ok('main')",
        "data": {"url": "https://example.org/x", "json": {}},
    }

    def refused(code: str) -> dict[str, Any]:
        return {"error": {"code": code, "message": ANY, "faults": ANY}}

    def page(of: str, total: Any = ANY) -> dict[str, Any]:
        return {"_links": ANY, "_embedded": {of: ANY}, "start": 0, "count": ANY, "total": total}

    return [
        Exchange("GET", "/api/job-fire-times?interval=0%200%20*%20*%20*&timezone=America/New_York", 200, {"fireTimes": ANY}),
        Exchange("GET", "/api/job-fire-times?interval=1%20hour&timezone=America/New_York", 200, {"fireTimes": ANY}),
        Exchange("POST", "/api/jobs", 201, {"name": name, "slug": slug, "lockedAt": None, "nextRunAt": ANY} | daily, definition),
        Exchange("POST", "/api/jobs", 409, refused("conflict"), definition),
        Exchange("POST", "/api/jobs", 400, refused("invalid_input"), definition | {"interval": "61 * * * *"}),
        Exchange("GET", f"/api/jobs?q=Nightly%20{given.who}&sort=-name&limit=30&start=0", 200, page("inf:job", 1)),
        Exchange("GET", "/api/jobs", 200, page("inf:job")),
        Exchange("GET", "/api/jobs-list", 200, ANY),
        Exchange("GET", job, 200, {"name": name, "naturalId": f"operator:{slug}", "ownerId": ANY}),
        Exchange("GET", f"/api/jobs/operator:{slug}", 200, {"name": name}),
        Exchange("PUT", job, 200, {"enabled": False}, definition | {"enabled": False}),
        Exchange("POST", f"{job}/actions", 201, {"id": "tell", "type": "webhook"}, hook),
        Exchange("POST", f"{job}/actions/tell/_preview", 200, {"would": ANY}),
        Exchange("POST", f"{job}/_edit", 201, {"id": ANY, "editingId": ANY}),
        Exchange("GET", f"{job}/draft", 200, {"editingId": ANY}),
        Exchange("POST", f"{job}/_commit", 200, {"name": name, "revision": 4}),
        Exchange("GET", f"{job}/draft", 404, refused("not_found")),
        Exchange("GET", f"{job}/datasets", 200, page("inf:job-dataset", 0)),
        Exchange("POST", job, 202, {"state": "pending", "jobName": name}),
        Exchange("GET", f"/api/jobs/{given.sync}/history?sort=-createdAt&limit=30", 200, page("inf:job-history", 2)),
        Exchange("GET", f"/api/jobs/{given.sync}/history/{given.done.id}", 200, {"success": True, "warnings": False, "duration": ANY}),
        Exchange("GET", "/api/workers", 200, {"items": ANY}),
        Exchange("GET", "/api/job-drivers", 200, {"items": ANY}),
        Exchange("GET", "/api/job-templates", 200, {"items": ANY}),
        Exchange("GET", "/api/jobs", 401, refused("unauthenticated"), by="nobody"),
        Exchange("DELETE", job, 403, refused("forbidden"), by="read"),
        Exchange("DELETE", job, 204),
        Exchange("GET", job, 404, refused("not_found")),
    ]  # fmt: skip


Ask = Callable[[list[dict[str, Any]], Path], Awaitable[Sequence[tuple[int, str]]]]


async def by_curl(requests: list[dict[str, Any]], folder: Path) -> list[tuple[int, str]]:
    answers = []
    for request in requests:
        words = ["curl", "-X", request["method"], request["url"], "-w", "\\n%{http_code}"]
        words += [word for name, value in request["headers"].items() for word in ("-H", f"{name}: {value}")]
        words += [] if request["body"] is None else ["-d", request["body"]]
        body, _, status = (await printed.curl(shlex.join(words))).out.rpartition("\n")
        answers.append((int(status), body))
    return answers


_REQUESTS = """
    import json, requests
    answers = []
    for request in json.load(open({file!r})):
        answer = requests.request(request["method"], request["url"], headers=request["headers"], data=request["body"])
        answers.append([answer.status_code, answer.text])
    print(json.dumps(answers))
"""
_FETCH = """
import {readFileSync} from 'node:fs';
const answers = [];
for (const {method, url, headers, body} of JSON.parse(readFileSync(FILE))) {
  const answer = await fetch(url, {method, headers, body: body ?? undefined});
  answers.push([answer.status, await answer.text()]);
}
console.log(JSON.stringify(answers));
"""


async def by_requests(requests: list[dict[str, Any]], folder: Path) -> Any:
    return (await printed.python(_REQUESTS.format(file=_written(requests, folder)))).json


async def by_fetch(requests: list[dict[str, Any]], folder: Path) -> Any:
    return (await printed.node(_FETCH.replace("FILE", json.dumps(_written(requests, folder))))).json


CLIENTS: dict[str, Ask] = {"curl": by_curl, "requests": by_requests, "fetch": by_fetch}


@pytest.mark.parametrize("who", CLIENTS)
async def test_each_client_is_answered_as_the_documents_say(world: RunningAgent, tmp_path: Path, who: str) -> None:
    given = await made_for(world, who)
    tokens = {name: await world.token(*scopes) for name, scopes in _TOKENS.items()}
    exchanges = [each for part in (of_000, of_003, of_004, of_001, of_002) for each in part(given)]
    answers = await CLIENTS[who]([_request(each, world.url, tokens) for each in exchanges], tmp_path)
    assert len(answers) == len(exchanges) > 60
    for exchange, (status, body) in zip(exchanges, answers, strict=True):
        where = f"{who}: {exchange.method} {exchange.path}"
        assert status == exchange.status, f"{where}: {status} {body}"
        if exchange.said is None:
            assert body == "", where
        else:
            agree(exchange.said, json.loads(body), where)


_TOKENS = {"all": ("read", "edit", "run", "delete"), "read": ("read",), "edit": ("edit",)}


async def made_for(agent: RunningAgent, who: str) -> Given:
    make = RunMaker(agent)
    data = {
        "source_table": "orders_db.orders", "knowledge_base": "orders_kb", "content_columns": ["product"],
        "filter_column": "created_at",
    }  # fmt: skip
    job = await make.job(f"Sync {who}", "kb-sync", Needs(knowledge_bases=("orders_kb",)), data=data)
    done = await make.run(job, "completed", took=150, result={"rows_synced": 5000, "bytes_synced": 1048576})
    failed, running = await make.run(job, "failed"), await make.run(job, "running")
    return Given(who, job.id, done, failed, await make.run(job), running)


def agree(said: Any, answer: Any, where: str) -> None:
    """All that is said is so."""
    if said is ANY:
        return
    if isinstance(said, dict) and said:
        for name, value in said.items():
            assert name in answer, f"{where}: no {name} in {answer}"
            agree(value, answer[name], f"{where}: {name}")
    elif isinstance(said, list) and said:
        assert len(answer) == len(said), f"{where}: {answer}"
        for one, other in zip(said, answer, strict=True):
            agree(one, other, where)
    else:
        assert answer == said, where


def _request(exchange: Exchange, url: str, tokens: dict[str, str]) -> dict[str, Any]:
    headers = dict(exchange.headers)
    if exchange.by in tokens:
        headers["Authorization"] = f"Bearer {tokens[exchange.by]}"
    if exchange.to is not None:
        headers["Content-Type"] = "application/json"
    body = None if exchange.to is None else json.dumps(exchange.to)
    return {"method": exchange.method, "url": url + exchange.path, "headers": headers, "body": body}


def _written(requests: list[dict[str, Any]], folder: Path) -> str:
    path = folder / "requests.json"
    path.write_text(json.dumps(requests))
    return str(path)
