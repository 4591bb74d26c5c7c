"""Drafts over HTTP: edited alone, checked, compared, committed, and never taken for jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from agent.core.permissions.callers import EVERY_SCOPE, Caller
from shared.models import Job
from tests.harness.agent import RunningAgent

SHELL = {"name": "Nightly dump", "type": "command", "data": {"command": "true"}}


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.local() as client:
        yield client


@pytest.fixture
def ben(agent: RunningAgent) -> Caller:
    """A second editor of the same account."""
    local = agent.core.gate.local()
    return Caller(local.account_id, "ben-id", "ben", EVERY_SCOPE, "token")


async def made(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/api/jobs", json=SHELL | changed)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def edited(client: httpx.AsyncClient, key: str) -> dict[str, Any]:
    answer = await client.post(f"/api/jobs/{key}/_edit")
    assert answer.status_code in (200, 201), answer.text
    draft: dict[str, Any] = answer.json()
    return draft


async def put(client: httpx.AsyncClient, draft: dict[str, Any], **changed: Any) -> dict[str, Any]:
    answer = await client.put(f"/api/jobs/{draft['id']}", json=draft | changed)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def test_a_draft_is_made_once_and_then_found(client: httpx.AsyncClient) -> None:
    job = await made(client)
    first = await client.post(f"/api/jobs/{job['id']}/_edit")
    assert first.status_code == 201
    draft = first.json()
    assert draft["editingId"] == job["id"] != draft["id"]
    assert draft["basedOn"] == 1
    assert first.headers["location"] == draft["_links"]["self"]["href"] == f"/api/jobs/{draft['id']}"
    again = await client.post("/api/jobs/operator:nightly-dump/_edit")
    assert (again.status_code, again.json()["id"]) == (200, draft["id"])
    for path in (f"/api/jobs/{job['id']}/draft", f"/api/jobs/{draft['id']}", f"/api/jobs/{draft['id']}/draft"):
        assert (await client.get(path)).json() == draft


async def test_only_the_commit_changes_the_job(client: httpx.AsyncClient) -> None:
    job = await made(client)
    draft = await put(client, await edited(client, job["id"]), description="better", tags=["new"])
    assert (await client.get(f"/api/jobs/{job['id']}")).json() == job
    answer = await client.post(f"/api/jobs/{job['id']}/_commit")
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["id"], after["revision"], after["description"], after["tags"]) == (job["id"], 2, "better", ["new"])
    assert (await client.get(f"/api/jobs/{draft['id']}")).status_code == 404
    assert (await client.get(f"/api/jobs/{job['id']}/draft")).status_code == 404
    assert (await client.post(f"/api/jobs/{draft['id']}/_commit")).status_code == 404


async def test_a_draft_is_in_no_list_and_does_not_run(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    started = await client.post(
        "/api/drafts", json=SHELL | {"intervalType": "cron", "interval": "* * * * *", "name": "Each minute"}
    )
    draft = started.json()
    assert started.status_code == 201
    assert (await client.get("/api/jobs")).json()["total"] == 0
    assert (await client.get("/api/jobs", params={"q": "each minute"})).json()["total"] == 0
    refused = await client.post(f"/api/jobs/{draft['id']}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    far = agent.clock.now().replace(year=2030)
    assert await agent.core.store.due_jobs(far, 10) == []
    assert [each["id"] for each in (await client.get("/api/drafts")).json()["items"]] == [draft["id"]]


async def test_a_job_begins_as_a_draft_that_says_nothing(client: httpx.AsyncClient) -> None:
    draft = (await client.post("/api/drafts")).json()
    path = f"/api/jobs/{draft['id']}"
    wrong = await put(client, draft, type="command", intervalType="cron", interval="61 * * * *", data={"argv": 1})
    refused = await client.post(f"{path}/_commit")
    assert refused.status_code == 400
    fields = {fault["field"] for fault in refused.json()["error"]["faults"]}
    assert {"name", "interval"} <= fields
    assert any(field.startswith("data") for field in fields)
    check = (await client.post(f"{path}/_check")).json()
    assert {fault["field"] for fault in check["faults"]} == fields
    good = await put(client, wrong, name="Dump", interval="0 2 * * *", data={"command": "true"})
    assert (await client.post(f"{path}/_check")).json()["faults"] == []
    answer = await client.post(f"{path}/_commit")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/jobs/{answer.json()['id']}"
    assert (answer.json()["name"], answer.json()["revision"]) == ("Dump", 1)
    assert good["id"] != answer.json()["id"]


async def test_how_a_draft_is_written_is_checked_at_once(client: httpx.AsyncClient) -> None:
    draft = (await client.post("/api/drafts", json={"name": "x"})).json()
    answer = await client.put(f"/api/jobs/{draft['id']}", json={"name": "x", "tags": 5, "colour": "red"})
    assert answer.status_code == 400
    assert {fault["field"] for fault in answer.json()["error"]["faults"]} == {"tags", "colour"}
    assert (await client.get(f"/api/jobs/{draft['id']}")).json() == draft


async def test_a_job_still_needs_a_name_and_a_type(client: httpx.AsyncClient) -> None:
    job = await made(client)
    answer = await client.put(f"/api/jobs/{job['id']}", json={"data": {}})
    assert answer.status_code == 400
    assert {fault["field"] for fault in answer.json()["error"]["faults"]} == {"name", "type"}


async def test_of_two_editors_the_second_is_told_what_changed(
    agent: RunningAgent, client: httpx.AsyncClient, ben: Caller
) -> None:
    job = await made(client, description="first", tags=["a"])
    mine = await put(client, await edited(client, job["id"]), description="mine")
    theirs, _ = await agent.core.drafts.edit(ben, job["id"])
    definition = theirs.definition.model_copy(update={"description": "theirs", "enabled": False})
    await agent.core.drafts.put(ben, theirs, definition, None)
    await agent.core.drafts.commit(ben, job["id"])
    refused = await client.post(f"/api/jobs/{job['id']}/_commit")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "drifted")
    faults = {fault["field"]: fault["value"] for fault in refused.json()["error"]["faults"]}
    assert faults == {"description": "theirs", "enabled": False}
    now = (await client.get(f"/api/jobs/{job['id']}")).json()
    assert (now["revision"], now["description"]) == (2, "theirs")
    assert (await client.get(f"/api/jobs/{mine['id']}")).json() == mine


async def test_a_rebase_takes_in_what_does_not_conflict(
    agent: RunningAgent, client: httpx.AsyncClient, ben: Caller
) -> None:
    job = await made(client, data={"command": "true", "env": {"A": "1", "B": "1"}})
    draft = await edited(client, job["id"])
    await put(client, draft, data={"command": "true", "env": {"A": "2", "B": "1"}})
    await agent.core.editing.change(
        ben, job["id"], lambda old: old.model_copy(update={"data": {"command": "true", "env": {"A": "1", "B": "3"}}})
    )
    rebased = await client.post(f"/api/jobs/{job['id']}/_rebase")
    assert rebased.status_code == 200, rebased.text
    assert rebased.json()["data"]["env"] == {"A": "2", "B": "3"}
    assert rebased.json()["basedOn"] == 2
    committed = await client.post(f"/api/jobs/{job['id']}/_commit")
    assert committed.json()["data"]["env"] == {"A": "2", "B": "3"}


@pytest.mark.parametrize(("prefer", "wins"), [("mine", "mine"), ("theirs", "theirs")])
async def test_a_rebase_names_what_both_changed(
    agent: RunningAgent, client: httpx.AsyncClient, ben: Caller, prefer: str, wins: str
) -> None:
    job = await made(client)
    draft = await put(client, await edited(client, job["id"]), description="mine")
    await agent.core.editing.change(ben, job["id"], lambda old: old.model_copy(update={"description": "theirs"}))
    refused = await client.post(f"/api/jobs/{job['id']}/_rebase")
    assert refused.status_code == 409
    assert [fault["field"] for fault in refused.json()["error"]["faults"]] == ["description"]
    assert (await client.get(f"/api/jobs/{draft['id']}")).json() == draft
    rebased = await client.post(f"/api/jobs/{job['id']}/_rebase", json={"prefer": prefer})
    assert rebased.json()["description"] == wins


async def test_a_pause_is_no_drift(client: httpx.AsyncClient) -> None:
    job = await made(client)
    await put(client, await edited(client, job["id"]), description="mine")
    await client.post(f"/api/jobs/{job['id']}/_pause")
    answer = await client.post(f"/api/jobs/{job['id']}/_commit")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["description"], answer.json()["pausedAt"] is None) == ("mine", False)


async def test_a_draft_beside_its_job(client: httpx.AsyncClient) -> None:
    job = await made(client, intervalType="cron", interval="0 2 * * *")
    await put(client, await edited(client, job["id"]), interval="0 3 * * *")
    diff = (await client.get(f"/api/jobs/{job['id']}/draft/diff")).json()
    assert diff["fields"] == [{"field": "interval", "before": "0 2 * * *", "after": "0 3 * * *"}]
    assert diff["nextFires"]["before"][0] == "2026-03-03T02:00:00Z"
    assert diff["nextFires"]["after"][0] == "2026-03-03T03:00:00Z"
    assert len(diff["nextFires"]["after"]) == 5


async def test_a_draft_of_a_deleted_job_is_kept_and_cannot_be_committed(client: httpx.AsyncClient) -> None:
    job = await made(client)
    draft = await edited(client, job["id"])
    await client.delete(f"/api/jobs/{job['id']}")
    assert (await client.post(f"/api/jobs/{draft['id']}/_commit")).status_code == 409
    assert (await client.get(f"/api/jobs/{draft['id']}")).status_code == 200
    assert (await client.delete(f"/api/jobs/{draft['id']}/draft")).status_code == 204
    assert (await client.get("/api/drafts")).json()["items"] == []


async def test_a_discarded_draft_leaves_the_job(client: httpx.AsyncClient) -> None:
    job = await made(client)
    draft = await edited(client, job["id"])
    stale = await client.delete(f"/api/jobs/{job['id']}/draft", headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale_version")
    assert (await client.delete(f"/api/jobs/{job['id']}/draft")).status_code == 204
    assert (await client.delete(f"/api/jobs/{job['id']}/draft")).status_code == 404
    assert (await client.get(f"/api/jobs/{draft['id']}")).status_code == 404
    assert Job.model_validate((await client.get(f"/api/jobs/{job['id']}")).json()).revision == 1


async def test_a_put_under_an_old_version_of_the_draft_is_refused(client: httpx.AsyncClient) -> None:
    job = await made(client)
    draft = await put(client, await edited(client, job["id"]), description="two")
    answer = await client.put(f"/api/jobs/{draft['id']}", json=draft, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale_version")


async def test_a_program_is_committed_with_the_scope_for_it(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    async with agent.tcp(await agent.token("read", "edit")) as editor:
        draft = (await editor.post("/api/drafts", json=SHELL)).json()
        answer = await editor.post(f"/api/jobs/{draft['id']}/_commit")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert (await client.get("/api/jobs")).json()["total"] == 0


async def test_a_taken_name_is_refused_and_the_draft_stays(client: httpx.AsyncClient) -> None:
    await made(client)
    draft = (await client.post("/api/drafts", json=SHELL)).json()
    answer = await client.post(f"/api/jobs/{draft['id']}/_commit")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert (await client.get(f"/api/jobs/{draft['id']}")).json() == draft


async def test_listeners_hear_of_drafts_and_not_what_they_say(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    heard: list[Any] = []
    agent.core.store.subscribe(lambda events: heard.extend(events))
    job = await made(client)
    draft = await edited(client, job["id"])
    await client.post(f"/api/jobs/{job['id']}/_commit")
    told = [(event.subject_id, event.data) for event in heard if event.kind == "draft.changed"]
    ids = {"id": draft["id"], "editingId": job["id"], "ownerId": draft["ownerId"]}
    assert told == [(draft["id"], ids), (draft["id"], ids | {"deleted": True})]
