"""Two people change one job: whichever way the first took, the second is told by field, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.contract.api.people import People
from tests.harness.agent import RunningAgent

CONNECTIONS = "/v1/organizations/default/knowledge/connectors/connections"
SYNC: dict[str, Any] = {
    "name": "Orders", "type": "kb-sync", "tags": ["a"],
    "data": {
        "source_table": "orders_db.orders", "knowledge_base": "orders_kb", "content_columns": ["product"],
        "filter_column": "created_at",
    },
}  # fmt: skip
HOOK = {"id": "tell", "type": "webhook", "data": {"url": "https://example.org/x", "json": {}}}
Way = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


async def _by_draft(client: httpx.AsyncClient, job: str) -> httpx.Response:
    draft = (await client.post(f"/api/jobs/{job}/_edit")).json()["id"]
    assert (await client.put(f"/api/jobs/{draft}", json=SYNC | {"description": "theirs"})).status_code == 200
    return await client.post(f"/api/jobs/{job}/_commit")


async def _by_restore(client: httpx.AsyncClient, job: str) -> httpx.Response:
    return await client.post(f"/api/jobs/{job}/revisions/1/_restore")


def _applied(**change: Any) -> dict[str, Any]:
    return {"definitions": [{"definition": SYNC | change}]}


WAYS: dict[str, tuple[Way, str]] = {
    "a draft": (_by_draft, "description"),
    "PUT": (lambda client, job: client.put(f"/api/jobs/{job}", json=SYNC | {"tags": []}), "tags"),
    "an action": (lambda client, job: client.post(f"/api/jobs/{job}/actions", json=HOOK), "actions.tell"),
    "apply": (lambda client, _: client.post("/api/definitions/_apply", json=_applied(enabled=False)), "enabled"),
    "PATCH": (lambda client, job: client.patch(f"{CONNECTIONS}/{job}", json={"name": "Other"}), "name"),
    "a restore": (_by_restore, "description"),
}
"""And a field that differs then."""


@pytest.mark.parametrize("way", WAYS)
async def test_a_draft_does_not_overwrite_what_came_first(world: RunningAgent, people: People, way: str) -> None:
    change, field = WAYS[way]
    ada, bob = await people.make("ada", "read", "edit"), await people.make("bob", "read", "edit")
    async with world.tcp(ada.token) as first, world.tcp(bob.token) as second:
        job = (await first.post("/api/jobs", json=SYNC)).json()["id"]
        assert (await first.put(f"/api/jobs/{job}", json=SYNC | {"description": "before"})).status_code == 200
        share = {"principalId": "bob", "accessLevel": "editor"}
        assert (await first.post(f"/api/jobs/{job}/shares", json=share)).status_code == 201
        draft = (await second.post(f"/api/jobs/{job}/_edit")).json()["id"]
        mine = (await second.put(f"/api/jobs/{draft}", json=SYNC | {"description": "mine"})).json()

        changed = await change(first, job)
        assert changed.is_success, changed.text
        stands = (await first.get(f"/api/jobs/{job}")).json()
        assert stands["revision"] == 3, changed.text

        refused = await second.post(f"/api/jobs/{job}/_commit")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "drifted")
        assert field in {fault["field"] for fault in refused.json()["error"]["faults"]}
        stale = await second.put(f"/api/jobs/{job}", json=SYNC, headers={"If-Match": '"2"'})
        assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale_version")
        assert (await first.get(f"/api/jobs/{job}")).json() == stands
        assert (await second.get(f"/api/jobs/{draft}")).json() == mine
