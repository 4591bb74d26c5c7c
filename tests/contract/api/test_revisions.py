"""Revisions over HTTP: what changed between two, and the way back to one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from agent.store.tables import job_revisions
from shared.models import ConnectionInput
from tests.harness.agent import RunningAgent

SHELL = {"name": "Nightly dump", "type": "command", "data": {"command": "true"}}
SYNC = {
    "name": "Orders into the index",
    "type": "kb-sync",
    "data": {
        "source_table": "orders_db.orders", "knowledge_base": "orders_kb", "content_columns": ["product"],
        "filter_column": "created_at",
    },
}  # fmt: skip


@pytest.fixture
async def client(world: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with world.local() as client:
        yield client


async def made(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/api/jobs", json=fields)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def changed(client: httpx.AsyncClient, job: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await client.put(f"/api/jobs/{job['id']}", json=job | fields)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def written(agent: RunningAgent) -> dict[int, str]:
    """The definitions as they lie on the disk."""
    columns = (job_revisions.c.revision, sa.type_coerce(job_revisions.c.definition, sa.Text))

    def read(connection: sa.Connection) -> dict[int, str]:
        return {revision: text for revision, text in connection.execute(sa.select(*columns))}  # noqa: C416  (rows)

    found: dict[int, str] = await agent.core.store._read(read)
    return found


async def test_each_change_is_a_revision_with_its_author(client: httpx.AsyncClient) -> None:
    job = await made(client, **SHELL)
    await changed(client, job, description="two")
    items = (await client.get(f"/api/jobs/{job['id']}/revisions")).json()["items"]
    assert [(each["revision"], each["definition"]["description"]) for each in items] == [(2, "two"), (1, "")]
    assert {each["author"] for each in items} == {"operator"}
    assert (await client.get("/api/jobs/nightly-dump/revisions/1")).json() == items[1]
    for path in ("revisions/3", "revisions/1/diff/3", "revisions/3/diff/1"):
        assert (await client.get(f"/api/jobs/{job['id']}/{path}")).status_code == 404
    assert (await client.get(f"/api/jobs/{job['id']}/revisions/last")).status_code == 400


async def test_a_comparison_names_fields_and_fires(client: httpx.AsyncClient) -> None:
    job = await made(client, **SHELL, intervalType="cron", interval="0 2 * * *", policies={"priority": 1})
    await changed(client, job, interval="0 3 * * *", policies={"priority": 2}, data={"command": "false"}, tags=["x"])
    diff = (await client.get(f"/api/jobs/{job['id']}/revisions/1/diff/2")).json()
    assert {each["field"]: (each["before"], each["after"]) for each in diff["fields"]} == {
        "interval": ("0 2 * * *", "0 3 * * *"),
        "policies.priority": (1, 2),
        "data.command": ("true", "false"),
        "tags": ([], ["x"]),
    }
    assert [fires[0][-9:] for fires in diff["nextFires"].values()] == ["02:00:00Z", "03:00:00Z"]
    same = (await client.get(f"/api/jobs/{job['id']}/revisions/2/diff/2")).json()
    assert same["fields"] == []
    assert same["nextFires"]["before"] == same["nextFires"]["after"]


async def test_a_disabled_revision_does_not_fire(client: httpx.AsyncClient) -> None:
    job = await made(client, **SHELL, intervalType="cron", interval="0 2 * * *")
    await changed(client, job, enabled=False)
    diff = (await client.get(f"/api/jobs/{job['id']}/revisions/1/diff/2")).json()
    assert (len(diff["nextFires"]["before"]), diff["nextFires"]["after"]) == (5, [])


async def test_a_restore_brings_back_the_same_bytes_as_a_new_revision(
    world: RunningAgent, client: httpx.AsyncClient
) -> None:
    job = await made(client, **SHELL, tags=["ä", "b"], policies={"retry": {"backoff": "5 minutes"}})
    await changed(client, job, name="Other", description="two", tags=[], data={"command": "false"})
    answer = await client.post(f"/api/jobs/{job['id']}/revisions/1/_restore")
    assert answer.status_code == 200, answer.text
    after = answer.json()
    kept = ("name", "description", "tags", "data", "policies", "slug")
    assert {name: after[name] for name in kept} == {name: job[name] for name in kept}
    assert (after["revision"], after["version"]) == (3, 3)
    texts = await written(world)
    assert texts[3] == texts[1] != texts[2]
    newest, _, oldest = (await client.get(f"/api/jobs/{job['id']}/revisions")).json()["items"]
    assert newest["definition"] == oldest["definition"]
    assert (newest["restoredFrom"], oldest["restoredFrom"]) == (1, None)
    assert (await client.get("/api/jobs", params={"q": "nightly"})).json()["total"] == 1
    assert (await client.get("/api/jobs", params={"filter": "tag:ä"})).json()["total"] == 1


async def test_what_is_no_longer_there_cannot_be_restored(world: RunningAgent, client: httpx.AsyncClient) -> None:
    job = await made(client, **SYNC)
    local = world.core.gate.local()
    source = (await world.core.world.get_connection(local, "orders_db")).url
    await world.core.world.create_connection(local, ConnectionInput(name="shop_db", url=source))
    await changed(client, job, data=job["data"] | {"source_table": "shop_db.orders"})
    await world.core.world.delete_connection(local, "orders_db")
    answer = await client.post(f"/api/jobs/{job['id']}/revisions/1/_restore")
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["error"]["faults"]] == ["data.source_table"]
    assert (await client.get(f"/api/jobs/{job['id']}")).json()["revision"] == 2


async def test_going_back_to_a_program_needs_the_scope_for_it(world: RunningAgent, client: httpx.AsyncClient) -> None:
    job = await made(client, **SHELL)
    await changed(client, job, **{**SYNC, "name": job["name"]})
    async with world.tcp(await world.token("read", "edit", "admin")) as editor:
        answer = await editor.post(f"/api/jobs/{job['id']}/revisions/1/_restore")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert (await client.post(f"/api/jobs/{job['id']}/revisions/1/_restore")).status_code == 200


async def test_a_restore_can_be_refused(client: httpx.AsyncClient) -> None:
    job = await made(client, **SHELL)
    path = f"/api/jobs/{job['id']}/revisions"
    assert (await client.post(f"{path}/1/_restore")).status_code == 409
    assert (await client.post(f"{path}/2/_restore")).status_code == 404
    await changed(client, job, name="Other")
    stale = await client.post(f"{path}/1/_restore", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale_version")
    await made(client, **SHELL)
    taken = await client.post(f"{path}/1/_restore")
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "conflict")
    assert (await client.get(f"/api/jobs/{job['id']}")).json()["name"] == "Other"


async def test_a_schedule_that_is_restored_begins_from_now(world: RunningAgent, client: httpx.AsyncClient) -> None:
    """What it would have fired meanwhile is past: going back is an edit, and an edit never re-fires."""
    job = await made(client, **SHELL, intervalType="cron", interval="*/5 * * * *")
    await changed(client, job, intervalType="none", interval=None)
    world.clock.advance(timedelta(hours=3))
    after = (await client.post(f"/api/jobs/{job['id']}/revisions/1/_restore")).json()
    assert after["nextRunAt"] == "2026-03-02T15:05:00Z"


async def test_a_run_can_be_repeated_as_it_was(client: httpx.AsyncClient) -> None:
    job = await made(client, **SHELL)
    run = (await client.post(f"/api/jobs/{job['id']}")).json()
    assert run["revision"] == 1
    await client.post(f"/api/runs/{run['id']}/_cancel")
    await changed(client, job, data={"command": "false"})
    now = await client.post(f"/api/runs/{run['id']}/_rerun")
    then = await client.post(f"/api/runs/{run['id']}/_rerun", json={"ownRevision": True})
    assert [answer.json()["revision"] for answer in (now, then)] == [2, 1]
    assert {answer.json()["originalRunId"] for answer in (now, then)} == {run["id"]}
