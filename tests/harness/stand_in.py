"""An agent that holds still: speaks docs/api/native.md over real HTTP from a world that the test writes.

    with serving(StandIn(jobs, runs, now)) as agent:
        agent.url                                   # http://127.0.0.1:…
        agent.put_run(run)                          # … and the event is on its way
        agent.asked                                 # [("POST", "/api/runs/_bulk", {...}), …]
        agent.drop_streams()                        # cut every event stream; new requests are answered 503 while `is_down`

The real agent is driven in tests/functional/screens/test_with_agent.py; this one is for what needs fixed ids, fixed
times, two hundred events a second, or a line that is cut at will.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.filters import BadFilter, Known, parse
from shared.models import Event, EventKind, Job, LogLine, LogPage, Progress, Run, Step
from shared.models.audit import AuditEntry
from shared.states import RunState
from tests.harness.stand_in_lists import Lists, as_json
from tests.harness.telling import PATIENCE

UNDO_DELAY = timedelta(seconds=10)


class StandIn(Lists):
    """Everything it answers is in these attributes; `put_*` and `progress` also tell it as events."""

    def __init__(self, jobs: Iterable[Job], runs: Iterable[Run], now: datetime, *, production: bool = False) -> None:
        super().__init__(now)
        self.jobs = {job.id: job for job in jobs}
        self.runs = {run.id: run for run in runs}
        self.logs: dict[str, list[LogLine]] = {}
        self.steps: dict[str, list[Step]] = {}
        self.entries: list[AuditEntry] = []
        """The record of what was done, the oldest first."""
        self.production = production
        self.held = (0, 0)
        """Missed fires that wait for an operator, and of how many jobs."""
        self.scopes = ["read", "edit", "run", "delete", "admin"]
        self.refusals: dict[str, tuple[str, str]] = {}
        """Run id -> code and message with which bulk acts on it are refused."""
        self.is_down = False
        self.url = ""
        self._events: list[Event] = []
        self._pruned = 0
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cuts = 0

    # What a test does to it.

    def put_run(self, run: Run, kind: EventKind = "run.changed") -> None:
        self.runs[run.id] = run
        self.tell(kind, run.id, run.model_dump(mode="json", by_alias=True))

    def move_run(self, run_id: str, **fields: Any) -> Run:
        """Change a run as the agent does: its version moves."""
        run = self.runs[run_id]
        moved = run.model_copy(update={**fields, "version": run.version + 1})
        self.put_run(moved)
        return moved

    def progress(self, run_id: str, done: int) -> None:
        progress = self.runs[run_id].progress.model_copy(update={"done": done})
        self.runs[run_id] = self.runs[run_id].model_copy(update={"progress": progress})
        self.tell(
            "run.progress", run_id, {"runId": run_id, "progress": progress.model_dump(mode="json", by_alias=True)}
        )

    def put_job(self, job: Job) -> None:
        self.jobs[job.id] = job
        self.tell("job.changed", job.id, job.model_dump(mode="json", by_alias=True, exclude={"recent"}))

    def tell(self, kind: EventKind, subject_id: str, data: dict[str, Any]) -> None:
        number = self._pruned + len(self._events) + 1
        self._events.append(
            Event(id=number, at=self.now, kind=kind, account_id="main", subject_id=subject_id, data=data)
        )
        self._stir()

    def prune(self) -> None:
        """Forget the events so far: who comes back later gets `reset`."""
        self._pruned += len(self._events)
        self._events.clear()

    def drop_streams(self) -> None:
        self._cuts += 1
        self._stir()

    def requests(self, path: str) -> list[Any]:
        """Bodies of what was posted to a path."""
        return [body for method, asked, body in self.asked if method == "POST" and asked == path]

    # The routes.

    def routes(self) -> list[Route]:
        return [
            Route("/api/agent", self._agent),
            Route("/api/me", self._me),
            Route("/api/events", self._follow),
            Route("/api/runs", self._list_runs),
            Route("/api/runs/counts", self._count),
            Route("/api/runs/_bulk", self._bulk, methods=["POST"]),
            Route("/api/runs/{id}", self._run),
            Route("/api/runs/{id}/steps", self._list_steps),
            Route("/api/runs/{id}/attempts", lambda _: JSONResponse({"items": []})),
            Route("/api/runs/{id}/log", self._log),
            Route("/api/jobs", self._list_jobs),
            Route("/api/jobs/{id}", self._job, methods=["GET", "POST"]),
            Route("/api/jobs/{id}/explain", self._explain),
            Route("/api/jobs/{id}/_pause", self._pause, methods=["POST"]),
            Route("/api/jobs/{id}/_resume", self._pause, methods=["POST"]),
            Route("/api/jobs/{id}/owner", self._give, methods=["PUT"]),
            Route("/api/audit", self._list_audit),
            Route("/api/job-drivers", lambda _: JSONResponse({"items": []})),
            *self.list_routes(),
        ]

    async def _agent(self, _: Request) -> Response:
        return JSONResponse({
            "name": "jobdeck", "version": "0.1.0", "startedAt": _z(self.now), "now": _z(self.now), "dataDir": "/srv/jobdeck",
            "production": self.production, "counts": self._counts(self.runs.values()), "lastEventId": self._position,
            "heldFires": self.held[0], "heldJobs": self.held[1],
        })  # fmt: skip

    async def _me(self, _: Request) -> Response:
        return JSONResponse(
            {"accountId": "main", "userId": "u-ops", "handle": "ops", "scopes": self.scopes, "via": "socket"}
        )

    async def _list_runs(self, request: Request) -> Response:
        found = self._matching_runs(request)
        if isinstance(found, Response):
            return found
        limit, before = int(request.query_params.get("limit", 50)), int(request.query_params.get("before", 2**62))
        page = [run for run in found if run.number < before][: limit + 1]
        following = page[limit - 1].number if len(page) > limit else None
        return JSONResponse({"items": [as_json(run) for run in page[:limit]], "before": following})

    async def _count(self, request: Request) -> Response:
        found = self._matching_runs(request)
        if isinstance(found, Response):
            return found
        return JSONResponse({"counts": self._counts(found), "total": len(found)})

    async def _run(self, request: Request) -> Response:
        run = self.runs.get(request.path_params["id"])
        return JSONResponse(as_json(run)) if run else _error(404, "not_found", "there is no such run")

    async def _list_steps(self, request: Request) -> Response:
        return JSONResponse({"items": [as_json(step) for step in self.steps.get(request.path_params["id"], [])]})

    async def _log(self, request: Request) -> Response:
        lines = self.logs.get(request.path_params["id"], [])
        start, limit = int(request.query_params.get("start", 1)), int(request.query_params.get("limit", 200))
        first = max(0, len(lines) + start if start < 0 else start - 1)
        error = next((line.number for line in lines if line.level == "error"), None)
        page = LogPage(lines=lines[first : first + limit], total=len(lines), first_error=error, complete=True)
        return JSONResponse(as_json(page))

    async def _bulk(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(("POST", request.url.path, body))
        undoable = body.get("undoable", False)
        return JSONResponse({"items": [self._act(body["act"], each, undoable=undoable) for each in body["runs"]]})

    def _act(self, act: str, named: dict[str, Any], *, undoable: bool) -> dict[str, Any]:
        run = self.runs[named["id"]]
        if run.id in self.refusals:
            code, message = self.refusals[run.id]
            return {"id": run.id, "ok": False, "error": {"code": code, "message": message}}
        if named.get("version") not in {None, run.version}:
            return {"id": run.id, "ok": False, "error": {"code": "stale_version", "message": "changed meanwhile"}}
        if act == "cancel":
            moved = self._cancel(run, undoable=undoable)
        elif act == "uncancel":
            moved = self.move_run(run.id, cancel_requested_at=None, cancel_due_at=None)
        else:
            number = max(other.number for other in self.runs.values()) + 1
            moved = run.model_copy(update={
                "id": f"{run.id[:-4]}{number:04}", "number": number, "state": RunState.PENDING, "created_at": self.now,
                "started_at": None, "finished_at": None, "error": None, "original_run_id": run.id, "version": 1,
                "progress": Progress(),
            })  # fmt: skip
            self.put_run(moved, "run.created")
        return {"id": run.id, "ok": True, "run": as_json(moved)}

    def _cancel(self, run: Run, *, undoable: bool) -> Run:
        if run.state is RunState.RUNNING:
            return self.move_run(run.id, cancel_requested_at=self.now)
        if undoable:
            return self.move_run(run.id, cancel_requested_at=self.now, cancel_due_at=self.now + UNDO_DELAY)
        return self.move_run(run.id, state=RunState.CANCELLED, finished_at=self.now)

    async def _list_jobs(self, request: Request) -> Response:
        try:
            where = parse(request.query_params.get("filter", ""), "job")
        except BadFilter as error:
            return _error(400, "invalid_input", str(error))
        found = [job for job in self.jobs.values() if where.matches(job, self.now)]
        start, limit = int(request.query_params.get("start", 0)), int(request.query_params.get("limit", 30))
        page = [as_json(job) for job in sorted(found, key=lambda job: job.name)[start : start + limit]]
        return JSONResponse(
            {"_links": {}, "_embedded": {"inf:job": page}, "start": start, "count": len(page), "total": len(found)}
        )

    async def _job(self, request: Request) -> Response:
        job = self._job_of(request)
        if job is None:
            return _error(404, "not_found", "there is no such job")
        if request.method == "GET":
            return JSONResponse(as_json(job))
        self.asked.append(("POST", request.url.path, None))
        number = max((other.number for other in self.runs.values()), default=0) + 1
        run = Run(
            id=f"{job.id[:-4]}{number:04}", number=number, job_id=job.id, job_name=job.name, account_id="main",
            owner_id=job.owner_id, type=job.type, revision=1, state=RunState.PENDING, cause="manual",
            created_at=self.now, available_at=self.now,
        )  # fmt: skip
        self.put_run(run, "run.created")
        return JSONResponse(as_json(run), 202)

    async def _explain(self, request: Request) -> Response:
        job = self._job_of(request)
        if job is None:
            return _error(404, "not_found", "there is no such job")
        fires = [as_json(fire) for fire in getattr(self, "fires", []) if fire.job_id == job.id][:3]
        became = ["started on time"] * len(fires)
        sentences = [f"It fires {job.schedule_text}.", *("The fire of then started on time." for _ in fires)]
        return JSONResponse(
            {"job": as_json(job), "sentences": sentences, "lastFires": fires, "became": became, "nextFires": []}
        )

    async def _give(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(("PUT", request.url.path, body))
        job = self._job_of(request)
        assert job is not None
        given = job.model_copy(update={"owner_id": body["ownerId"], "version": job.version + 1})
        self.put_job(given)
        return JSONResponse(as_json(given))

    async def _pause(self, request: Request) -> Response:
        self.asked.append(("POST", request.url.path, None))
        job = self._job_of(request)
        assert job is not None
        paused_at = self.now if request.url.path.endswith("_pause") else None
        changed = job.model_copy(update={"paused_at": paused_at, "version": job.version + 1})
        self.put_job(changed)
        return JSONResponse(as_json(changed))

    async def _list_audit(self, request: Request) -> Response:
        if "admin" not in self.scopes:
            return _error(403, "forbidden", "this needs the scope 'admin'")
        asked = request.query_params
        self.asked.append(("GET", request.url.path, dict(asked)))
        limit, before, after = int(asked.get("limit", 50)), int(asked.get("before", 2**62)), int(asked.get("after", 0))
        found = [each for each in self.entries if after < each.number < before and _is_asked_for(each, asked)]
        page = found[:limit] if "after" in asked else found[-limit:]
        following = page[0].number if page and page[0] is not found[0] else None
        return JSONResponse({"items": [as_json(each) for each in reversed(page)], "before": following})

    async def _follow(self, request: Request) -> Response:
        after = int(request.headers.get("Last-Event-ID", self._position))
        return StreamingResponse(self._tell_from(after), media_type="text/event-stream")

    async def _tell_from(self, after: int) -> AsyncIterator[str]:
        cuts = self._cuts
        if after < self._pruned:
            after = self._position
            yield f"id: {after}\nevent: reset\ndata: {{}}\n\n"
        yield ": open\n\n"
        while cuts == self._cuts and not self.is_down:
            assert self._wake is not None
            self._wake.clear()
            news = self._events[max(0, after - self._pruned) :]
            for event in news:
                after = event.id
                yield f"id: {event.id}\nevent: {event.kind}\ndata: {event.model_dump_json(by_alias=True)}\n\n"
            if not news:
                await self._wake.wait()

    # Helpers.

    @property
    def _position(self) -> int:
        return self._pruned + len(self._events)

    def _matching_runs(self, request: Request) -> list[Run] | Response:
        known = Known(
            tags={job.id: job.tags for job in self.jobs.values()},
            slugs={job.id: job.slug for job in self.jobs.values()},
        )
        try:
            where = parse(request.query_params.get("filter", ""), "run")
        except BadFilter as error:
            return _error(400, "invalid_input", str(error))
        found = [run for run in self.runs.values() if where.matches(run, self.now, known)]
        return sorted(found, key=lambda run: -run.number)

    def _counts(self, runs: Iterable[Run]) -> dict[str, int]:
        counts = Counter(str(run.state) for run in runs)
        return {str(state): counts[str(state)] for state in RunState}

    def _job_of(self, request: Request) -> Job | None:
        key = request.path_params["id"]
        return next((job for job in self.jobs.values() if key in {job.id, job.slug}), None)

    def _stir(self) -> None:
        if self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _refuse_when_down(self, scope: Any, receive: Any, send: Any, app: Any) -> None:
        if scope["type"] == "http" and self.is_down:
            await _error(503, "unavailable", "the store does not answer")(scope, receive, send)
        else:
            await app(scope, receive, send)

    def started(self, loop: asyncio.AbstractEventLoop, url: str) -> None:
        self._loop, self._wake, self.url = loop, asyncio.Event(), url


@contextmanager
def serving(agent: StandIn) -> Iterator[StandIn]:
    """On a free port of the loopback, in a thread of its own."""
    app = Starlette(routes=agent.routes())

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        await agent._refuse_when_down(scope, receive, send, app)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(guarded, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    ready = threading.Event()

    async def serve() -> None:
        agent.started(asyncio.get_running_loop(), f"http://127.0.0.1:{listener.getsockname()[1]}")
        ready.set()
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE), "the stand-in did not start"
    try:
        yield agent
    finally:
        agent.drop_streams()
        server.should_exit = server.force_exit = True
        thread.join(PATIENCE)


def _is_asked_for(entry: AuditEntry, asked: Mapping[str, str]) -> bool:
    names = {
        "user": (entry.user_id, entry.handle), "subject": (entry.subject_id, entry.subject_name),
        "act": (entry.act, entry.event), "outcome": (entry.outcome,),
    }  # fmt: skip
    return all(asked[name] in values for name, values in names.items() if name in asked)


def _z(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message, "faults": []}}, status)
