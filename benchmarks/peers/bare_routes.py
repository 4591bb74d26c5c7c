"""The least that can answer the same questions: Starlette, a statement on the same file, the rows as JSON.

No account, no credentials, no limits, no description, no model: `python -m benchmarks.peers.bare_routes FILE PORT`.
"""

# ruff: noqa: S608  (its statements are its own, made of constants)
from __future__ import annotations

import json
import sqlite3
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_PLAIN = (
    "id", "number", "account_id", "owner_id", "type", "revision", "state", "cause", "attempt", "max_attempts",
    "worker_id", "priority", "concurrency_key", "original_run_id", "version",
)  # fmt: skip
_MOMENTS = (
    "fire_at", "created_at", "available_at", "started_at", "finished_at", "cancel_requested_at", "cancel_due_at",
    "cancel_deadline_at",
)  # fmt: skip
_OTHERS = (
    "done", "total", "unit", "note", "error_kind", "error_message", "error_transient", "error_fingerprint", "result",
    "warnings",
)  # fmt: skip
SELECT = (
    f"SELECT {', '.join(f'runs.{name}' for name in (*_PLAIN, *_MOMENTS, *_OTHERS))}, jobs.id AS job_id, "
    "jobs.name AS job_name, median, p90 FROM runs JOIN jobs ON jobs.number = runs.job_number "
    "LEFT JOIN job_statistics ON job_statistics.job_number = runs.job_number "
)
_WHERE, _END = SELECT + "WHERE runs.account_id = 'default' ", "ORDER BY runs.number DESC LIMIT ?"
FAILED = _WHERE + "AND state = 'failed' AND runs.type = ? " + _END
PAGE = _WHERE + "AND runs.number < ? " + _END
TEXT = SELECT + (
    "WHERE runs.account_id = 'default' AND runs.number IN (SELECT rowid FROM run_text WHERE run_text MATCH ? "
    "ORDER BY rowid DESC LIMIT ?) ORDER BY runs.number DESC"
)
COUNTS = (
    "SELECT state, sum(count) FROM run_counts WHERE account_id = 'default' GROUP BY state UNION ALL SELECT state, count(*) "
    "FROM runs WHERE account_id = 'default' AND state IN ('pending', 'running', 'retrying') GROUP BY state"
)
COUNTED = "SELECT state, count(*) FROM runs WHERE account_id = 'default' GROUP BY state"
_STATES = ("pending", "running", "retrying", "completed", "failed", "cancelled")
_open = threading.local()


def rows(path: str, query: str, *values: object) -> list[Any]:
    """Through a connection of the calling thread."""
    if not hasattr(_open, "store"):
        _open.store = sqlite3.connect(path, isolation_level=None)
        _open.store.row_factory = sqlite3.Row
    found: list[Any] = _open.store.execute(query, values).fetchall()
    return found


def create_app(path: str) -> Starlette:
    async def failed(request: Request) -> JSONResponse:
        limit = int(request.query_params["limit"])
        if "type" in request.query_params:
            return await page(FAILED, request.query_params["type"], limit)
        return await page(f"{_WHERE} AND state = 'failed' {seen(request)} {_END}", limit)

    async def from_number(request: Request) -> JSONResponse:
        return await page(PAGE, int(request.query_params["before"]), int(request.query_params["limit"]))

    async def newest(request: Request) -> JSONResponse:
        return await page(f"{_WHERE} {seen(request)} {_END}", int(request.query_params["limit"]))

    async def text(request: Request) -> JSONResponse:
        return await page(TEXT, request.query_params["words"], int(request.query_params["limit"]))

    async def counts(request: Request) -> JSONResponse:
        found = dict(await run_in_threadpool(rows, path, _counts_for(request)))
        by_state = {state: found.get(state, 0) for state in _STATES}
        return JSONResponse({"counts": by_state, "total": sum(by_state.values()), "complete": True})

    async def page(query: str, *values: object) -> JSONResponse:
        found = await run_in_threadpool(rows, path, query, *values)
        before = found[-1]["number"] if len(found) == values[-1] else None
        return JSONResponse({"items": [_run(row) for row in found], "before": before})

    routes = {"/failed": failed, "/page": from_number, "/newest": newest, "/text": text, "/counts": counts}
    return Starlette(routes=[Route(way, endpoint) for way, endpoint in routes.items()])


def seen(request: Request, job_number: str = "runs.job_number") -> str:
    """A condition: the `user` that is asked for sees the job; who names none sees all."""
    jobs = _jobs_of(request)
    return "" if jobs is None else f"AND EXISTS ({jobs} AND job_readers.job_number = {job_number}) "


def gathered(request: Request, job_number: str) -> str:
    """The same, for what is asked of all jobs that the user sees."""
    jobs = _jobs_of(request)
    return "" if jobs is None else f"AND {job_number} IN ({jobs}) "


def _jobs_of(request: Request) -> str | None:
    if "user" not in request.query_params:
        return None
    principals = f"('{request.query_params['user']}', 'everyone')"
    return f"SELECT job_number FROM job_readers WHERE account_id = 'default' AND principal_id IN {principals}"


def _counts_for(request: Request) -> str:
    """Of the very rows that the agent adds up: those that triggers keep, and the few runs that are not over."""
    if "user" not in request.query_params:
        return COUNTS
    return (
        f"SELECT state, sum(count) FROM job_counts WHERE true {gathered(request, 'job_number')} GROUP BY state "
        "UNION ALL SELECT state, count(*) FROM runs WHERE account_id = 'default' "
        f"AND state IN ('pending', 'running', 'retrying') {seen(request)} GROUP BY state"
    )


def _run(row: Any) -> dict[str, Any]:
    active = row["finished_at"] is None
    run = {_camel(name): row[name] for name in _PLAIN} | {_camel(name): _text(row[name]) for name in _MOMENTS}
    return run | {
        "jobId": row["job_id"],
        "jobName": row["job_name"],
        "progress": {"done": row["done"], "total": row["total"], "unit": row["unit"], "note": row["note"]},
        "error": _error(row),
        "result": json.loads(row["result"]) if row["result"] else None,
        "warnings": json.loads(row["warnings"]),
        "originalGone": False,
        "waitingFor": None,
        "expectedSeconds": row["median"] if active else None,
        "lateAfterSeconds": row["p90"] and max(row["p90"], 10.0) if active else None,
    }


def _error(row: Any) -> dict[str, Any] | None:
    if row["error_kind"] is None:
        return None
    transient = bool(row["error_transient"])
    said = {"kind": row["error_kind"], "message": row["error_message"]}
    return {**said, "transient": transient, "fingerprint": row["error_fingerprint"]}


def _text(micros: int | None) -> str | None:
    if micros is None:
        return None
    precision = "milliseconds" if micros % 1_000_000 else "seconds"
    return datetime.fromtimestamp(micros // 1000 / 1000, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _camel(name: str) -> str:
    if name not in _CAMEL:
        first, *rest = name.split("_")
        _CAMEL[name] = first + "".join(word.capitalize() for word in rest)
    return _CAMEL[name]


_CAMEL: dict[str, str] = {}


if __name__ == "__main__":
    app, port = create_app(sys.argv[1]), int(sys.argv[2])
    uvicorn.run(app, port=port, http="h11", log_level="warning", access_log=False, timeout_keep_alive=600)
