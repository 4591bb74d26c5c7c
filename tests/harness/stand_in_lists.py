"""What the agent that holds still (tests/harness/stand_in.py) answers whole or by the page: missed fires, the ledger, sentinels,
workers, and what jobs work with."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.models import Fire, HeldJob, Sentinel, Worker
from shared.models.base import Resource


class Lists:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.asked: list[tuple[str, str, Any]] = []
        self.backlog: list[HeldJob] = []
        self.fires: list[Fire] = []
        """The ledger, the newest first."""
        self.sentinels: list[Sentinel] = []
        self.workers: list[Worker] = []
        self.things: dict[str, list[Resource]] = {}
        """Lists that are answered whole: connections, datasets, knowledge-bases, secrets."""

    def list_routes(self) -> list[Route]:
        return [
            Route("/api/catch-up", self._list_backlog),
            Route("/api/catch-up/{decision}", self._decide, methods=["POST"]),
            Route("/api/fires", self._list_fires),
            Route(
                "/api/sentinels",
                lambda _: JSONResponse({"items": [as_json(each) for each in self.sentinels], "before": None}),
            ),
            Route("/api/sentinels/{id}/_acknowledge", self._acknowledge, methods=["POST"]),
            Route("/api/workers", lambda _: JSONResponse({"items": [as_json(each) for each in self.workers]})),
            Route("/api/connections/{id}/_test", self._test_connection, methods=["POST"]),
            Route("/api/knowledge-bases/{id}/_search", self._search, methods=["POST"]),
            Route("/api/{things}", self._list_things),
        ]

    async def _list_backlog(self, _: Request) -> Response:
        waiting, released = (sum(getattr(each, what) for each in self.backlog) for what in ("waiting", "released"))
        items = [as_json(each) for each in self.backlog]
        return JSONResponse({"waiting": waiting, "released": released, "threshold": 100, "rate": 60, "items": items})

    async def _decide(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(("POST", request.url.path, body))
        chosen = [each for each in self.backlog if body["jobs"] is None or each.job_id in body["jobs"]]
        self.backlog = [each for each in self.backlog if each not in chosen]
        fires = sum(each.waiting for each in chosen)
        if request.path_params["decision"] == "_discard":
            return JSONResponse({"discarded": fires})
        newest = len(chosen) if body["take"] == "latest" else fires
        return JSONResponse({"released": newest, "coalesced": fires - newest})

    async def _list_fires(self, request: Request) -> Response:
        asked = request.query_params
        found = [
            fire for fire in self.fires
            if asked.get("outcome") in {None, str(fire.outcome)} and asked.get("jobId") in {None, fire.job_id}
            and fire.id < int(asked.get("before", 2**62))
        ]  # fmt: skip
        limit = int(asked.get("limit", 50))
        page, more = found[:limit], len(found) > limit
        return JSONResponse({"items": [as_json(fire) for fire in page], "before": page[-1].id if more else None})

    async def _acknowledge(self, request: Request) -> Response:
        place = next(at for at, each in enumerate(self.sentinels) if each.id == request.path_params["id"])
        seen = self.sentinels[place].model_copy(update={"acknowledged_at": self.now, "acknowledged_by": "ops"})
        self.sentinels[place] = seen
        return JSONResponse(as_json(seen))

    async def _test_connection(self, request: Request) -> Response:
        if request.path_params["id"] == "broken":
            return JSONResponse(
                {"ok": False, "message": "the server refuses the password; set the secret anew", "tables": []}
            )
        return JSONResponse({"ok": True, "message": "", "tables": ["customers", "orders"]})

    async def _search(self, request: Request) -> Response:
        words = (await request.json())["query"]
        hit = {
            "key": "17",
            "origin": "shop.orders",
            "score": 0.81,
            "text": f"a {words} of brass " * 8,
            "attributes": {"colour": "green"},
        }
        return JSONResponse({"items": [hit]})

    async def _list_things(self, request: Request) -> Response:
        found = self.things.get(request.path_params["things"], [])
        return JSONResponse({"items": [as_json(each) for each in found]})


def as_json(model: Any) -> Any:
    return json.loads(model.model_dump_json(by_alias=True))
