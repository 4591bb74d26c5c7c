"""The least that can answer what the contracts list: Starlette, the same questions to the same tables, the rows as JSON.

With `?user=` what that user sees, by the rows that the agent keeps of it too. No account, no credentials, no limits, no
keys: `python -m benchmarks.peers.bare_listings FILE PORT`.
"""

# ruff: noqa: S608  (its statements are its own, made of constants)
from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.peers import bare_routes
from benchmarks.peers.bare_routes import gathered, rows, seen

_RUN = (
    "SELECT runs.number, runs.id, runs.type, runs.state, runs.created_at, runs.started_at, runs.finished_at, "
    "runs.job_number, runs.revision, users.handle FROM runs LEFT JOIN users ON users.id = runs.owner_id "
    "WHERE runs.account_id = 'default' "
)
_END = "ORDER BY runs.number DESC LIMIT ?"
OF_CORPUS = (
    "AND EXISTS (SELECT 1 FROM job_uses WHERE job_uses.job_number = runs.job_number "
    "AND job_uses.revision = runs.revision AND kind = 'knowledge_base' AND name = ?) "
)
_BASES = (
    "SELECT job_uses.job_number, job_uses.revision, knowledge_bases.number, job_uses.name FROM job_uses "
    "JOIN knowledge_bases ON knowledge_bases.account_id = job_uses.account_id "
    "AND knowledge_bases.name = job_uses.name WHERE job_uses.kind = 'knowledge_base' AND job_uses.job_number IN "
)
_SYNC = (
    "SELECT runs.number, runs.id, jobs.id AS job_id, runs.type, runs.state, runs.created_at, runs.started_at, "
    "runs.finished_at, runs.result FROM runs JOIN jobs ON jobs.number = runs.job_number "
    "WHERE runs.account_id = 'default' AND runs.type IN ('kb-sync', 'kb-reset') "
)
_DURATION = "ORDER BY runs.finished_at - runs.started_at DESC, runs.number DESC LIMIT ?"
_KINDS = "type IN ('kb-sync', 'kb-reset')"
COUNT_OF = (
    "SELECT count(*) AS n FROM runs WHERE job_number = (SELECT number FROM jobs WHERE id = ?) "
    "AND type IN ('kb-sync', 'kb-reset')"
)
_STEPS = "SELECT run_number, result FROM steps WHERE result IS NOT NULL AND run_number IN "
_CONNECTION = f"FROM jobs WHERE account_id = 'default' AND deleted_at IS NULL AND {_KINDS} "
TIMELINE = (
    "SELECT runs.id, coalesce(kind, CASE type WHEN 'kb-reset' THEN 'reset' ELSE 'sync' END) AS kind, created_at, "
    "number, NULL AS revision FROM runs LEFT JOIN run_variants ON run_number = number "
    "WHERE job_number = (SELECT number FROM jobs WHERE id = :job) UNION ALL "
    "SELECT jobs.id || '.' || job_revisions.revision, 'created', job_revisions.created_at, NULL, "
    "job_revisions.revision FROM job_revisions JOIN jobs ON jobs.number = job_number WHERE jobs.id = :job"
)
_STATES = {
    "pending": ("JOB_STATE__QUEUED", "queued", "pending"),
    "running": ("JOB_STATE__STARTED", "started", "running"),
    "completed": ("JOB_STATE__COMPLETED", "completed", "succeeded"),
    "failed": ("JOB_STATE__FAILED", "failed", "failed"),
    "cancelled": ("JOB_STATE__ABORTED", "aborted", "cancelled"),
}


def create_app(path: str) -> Starlette:
    async def first(request: Request) -> JSONResponse:
        asked = await request.json()
        return JSONResponse(await run_in_threadpool(_first, path, asked, seen(request)))

    async def second(request: Request) -> JSONResponse:
        limit = int(request.query_params["limit"])
        return JSONResponse(await run_in_threadpool(_second, path, limit, seen(request)))

    async def syncs(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(_syncs, path, request))

    async def connections(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(_connections, path, request))

    async def timeline(request: Request) -> JSONResponse:
        given = request.query_params
        return JSONResponse(await run_in_threadpool(_timeline, path, given["job"], int(given["limit"])))

    async def sources(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(_sources, path, int(request.query_params["limit"])))

    return Starlette(
        routes=[
            Route("/first", first, methods=["POST"]),
            Route("/second", second),
            Route("/syncs", syncs),
            Route("/connections", connections),
            Route("/timeline", timeline),
            Route("/sources", sources),
            *bare_routes.create_app(path).routes,
        ]
    )


def _first(path: str, asked: dict[str, Any], mine: str) -> dict[str, Any]:
    limit, of_state = asked["numResults"], _RUN + "AND runs.state = ? " + mine
    if "corpusId" in asked:
        names = rows(path, "SELECT name FROM knowledge_bases WHERE number = ?", asked["corpusId"][0])
        found = rows(path, of_state + OF_CORPUS + _END, _ours(asked["state"][0]), names[0]["name"], limit)
    else:
        states = [_ours(state) for state in asked.get("state", ["QUEUED", "STARTED"])]
        merged = [row for state in states for row in rows(path, of_state + _END, state, limit)]
        found = sorted(merged, key=lambda row: -row["number"])[:limit]
    bases = _bases(path, found)
    return {"status": [], "job": [_job(row, bases[row["job_number"], row["revision"]]) for row in found]}


def _second(path: str, limit: int, mine: str) -> dict[str, Any]:
    found = rows(path, _RUN + mine + _END, limit)
    bases = _bases(path, found)
    return {"jobs": [_job_v2(row, bases[row["job_number"], row["revision"]]) for row in found]}


def _syncs(path: str, request: Request) -> dict[str, Any]:
    asked, mine = request.query_params, seen(request)
    limit = int(asked["limit"])
    if "job" in asked:
        found = rows(path, f"{_SYNC} AND jobs.id = ? {mine} {_END}", asked["job"], limit)
        [count] = rows(path, COUNT_OF, asked["job"])
    elif "state" in asked:
        found = rows(path, f"{_SYNC} AND runs.state = ? {mine} {_DURATION}", asked["state"], limit)
        [count] = rows(path, _count_for(request), asked["state"], asked["state"])
    else:
        found = rows(path, f"{_SYNC} {mine} {_END} OFFSET ?", limit, int(asked.get("offset", 0)))
        [count] = rows(path, _count_for(request), "%", "%")
    rows(path, _STEPS + _places([row["number"] for row in found if row["state"] != "completed"]))
    return {"data": [_sync(row) for row in found], "total": count["n"]}


def _count_for(request: Request) -> str:
    """Of the rows that the agent adds up, too."""
    mine = gathered(request, "job_number")
    over = f"job_counts WHERE true {mine}" if mine else "run_counts WHERE account_id = 'default'"
    return (
        f"SELECT (SELECT coalesce(sum(count), 0) FROM {over} AND {_KINDS} AND state LIKE ?) + (SELECT count(*) FROM runs "
        f"WHERE account_id = 'default' AND {_KINDS} AND state IN ('pending', 'running', 'retrying') AND state LIKE ? "
        f"{seen(request)}) AS n"
    )


def _connections(path: str, request: Request) -> dict[str, Any]:
    page = f"SELECT * {_CONNECTION} {seen(request, 'jobs.number')} ORDER BY name_key LIMIT ?"
    found = rows(path, page, int(request.query_params["limit"]))
    [count] = rows(path, f"SELECT count(*) AS n {_CONNECTION} {gathered(request, 'jobs.number')}")
    sources = {row["name"]: row["id"] for row in rows(path, "SELECT * FROM connections WHERE account_id = 'default'")}
    bases = {row["name"]: row["id"] for row in rows(path, "SELECT * FROM knowledge_bases WHERE account_id = 'default'")}
    return {"data": [_connection(row, sources, bases) for row in found], "total": count["n"]}


def _timeline(path: str, job: str, limit: int) -> dict[str, Any]:
    found = rows(path, f"{TIMELINE.replace(':job', '?')} ORDER BY 3 DESC, 4 DESC LIMIT ?", job, job, limit)
    [count] = rows(path, f"SELECT count(*) AS n FROM ({TIMELINE.replace(':job', '?')})", job, job)
    numbers = [row["number"] for row in found if row["number"]]
    runs = {row["number"]: row for row in rows(path, _SYNC + "AND runs.number IN " + _places(numbers))}
    data = [
        {
            "event_id": row["id"],
            "event_type": row["kind"],
            "created_at": _zulu(row["created_at"]),
            "summary": _summary(row["kind"], runs.get(row["number"])),
        }
        for row in found
    ]
    return {"data": data, "total": count["n"]}


def _sources(path: str, limit: int) -> dict[str, Any]:
    found = rows(path, "SELECT * FROM connections WHERE account_id = 'default' ORDER BY name")
    data = [
        {
            "source_id": row["id"],
            "name": row["name"],
            "source_definition_id": row["kind"],
            "workspace_id": row["account_id"],
            "configuration": {"url": row["url"], "secret": row["secret_name"]},
            "created_at": _zulu(row["created_at"]),
        }
        for row in found[:limit]
    ]
    return {"data": data, "total": len(found)}


def _bases(path: str, found: list[Any]) -> dict[tuple[int, int], list[tuple[int, str]]]:
    bases = defaultdict(list)
    for row in rows(path, _BASES + _places({row["job_number"] for row in found})):
        bases[row["job_number"], row["revision"]].append((row["number"], row["name"]))
    return bases


def _job(row: Any, bases: list[tuple[int, str]]) -> dict[str, Any]:
    job = {
        "id": row["id"],
        "type": "JOB__UNKNOWN",
        "corpusId": [number for number, _ in bases],
        "state": _STATES[row["state"]][0],
        "tsCreate": str(row["created_at"] // 1_000_000),
    }
    if row["started_at"] is not None:
        job["tsStart"] = str(row["started_at"] // 1_000_000)
    if row["finished_at"] is not None:
        job["tsComplete"] = str(row["finished_at"] // 1_000_000)
    return {**job, "userHandle": row["handle"]}


def _job_v2(row: Any, bases: list[tuple[int, str]]) -> dict[str, Any]:
    job = {
        "id": row["id"],
        "type": "unknown",
        "corpus_keys": [name for _, name in bases],
        "state": _STATES[row["state"]][1],
        "created_at": _micros(row["created_at"]),
        "started_at": _micros(row["started_at"]),
        "completed_at": _micros(row["finished_at"]),
        "created_by_username": row["handle"],
    }
    return {name: value for name, value in job.items() if value is not None}


def _sync(row: Any) -> dict[str, Any]:
    result = json.loads(row["result"]) if row["result"] else {}
    return {
        "job_id": row["id"],
        "status": _STATES[row["state"]][2],
        "job_type": "reset" if row["type"] == "kb-reset" else "sync",
        "start_time": _zulu(row["started_at"]),
        "connection_id": row["job_id"],
        "bytes_synced": result.get("bytes_synced", 0),
        "rows_synced": result.get("rows_synced", 0),
        "duration": _duration(row["started_at"], row["finished_at"]),
    }


def _connection(row: Any, sources: dict[str, str], bases: dict[str, str]) -> dict[str, Any]:
    definition = json.loads(row["definition"])
    data = definition["data"]
    source = str(data.get("source_table", "")).partition(".")[0]
    names = ("content_columns", "filter_column", "key_columns", "attribute_columns")
    stream = {
        "table": data.get("source_table", "").removeprefix(f"{source}."),
        **{name: data.get(name) for name in names},
    }
    return {
        "connection_id": row["id"],
        "name": row["name"],
        "workspace_id": row["account_id"],
        "source_id": sources.get(source),
        "destination_id": bases.get(data.get("knowledge_base")),
        "configurations": {"streams": [stream]},
        "schedule": None,
        "status": "active" if row["enabled"] and row["paused_at"] is None else "inactive",
        "created_at": _zulu(row["created_at"]),
        "updated_at": _zulu(row["updated_at"]),
    }


def _summary(kind: str, run: Any) -> str:
    if run is None:
        return "Connection created"
    told = _sync(run)
    if told["duration"] is None:
        return f"{kind.capitalize()} {'is running' if told['status'] == 'running' else 'waits'}"
    counts = f"{told['rows_synced']} rows, {told['bytes_synced']} bytes in {told['duration']}"
    return f"{kind.capitalize()} {told['status']}: {counts}"


def _ours(state: str) -> str:
    return next(ours for ours, (theirs, _, _) in _STATES.items() if theirs.endswith(state))


def _places(values: Any) -> str:
    return f"({', '.join(str(int(value)) for value in values)})"


def _zulu(micros: int | None) -> str | None:
    if micros is None:
        return None
    precision = "milliseconds" if micros % 1_000_000 else "seconds"
    return datetime.fromtimestamp(micros // 1000 / 1000, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _micros(micros: int | None) -> str | None:
    if micros is None:
        return None
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def _duration(started: int | None, finished: int | None) -> str | None:
    if finished is None:
        return None
    minutes, milliseconds = divmod(round((finished - (started or finished)) / 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")
    parts = (f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{seconds}S" if milliseconds else "")
    return "PT" + ("".join(parts) or "0S")


if __name__ == "__main__":
    app, port = create_app(sys.argv[1]), int(sys.argv[2])
    uvicorn.run(app, port=port, http="h11", log_level="warning", access_log=False, timeout_keep_alive=600)
