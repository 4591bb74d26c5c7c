"""What one hears: of what one may see, at once, and of nothing else."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from httpx_sse import EventSource

from agent.core.records import FireRow, RunUpdate
from agent.core.wire import WireLine
from shared.models import FireOutcome, FireReason, Worker
from tests.contract.api.listening import Listener
from tests.contract.api.people import EVERYTHING, People, Person, a_job, share
from tests.contract.store.making import NOW, Maker, fence
from tests.harness.agent import RunningAgent
from tests.harness.telling import PATIENCE


async def test_events_are_told_to_whom_their_job_is_shown(agent: RunningAgent, ada: Person, bob: Person) -> None:
    shared, hidden = await a_job(agent, ada, "Shared"), await a_job(agent, ada, "Hidden")
    await share(agent, ada, f"/api/jobs/{shared.id}", "bob", "reader")
    listener = Listener(agent, bob, await agent.core.store.last_event_id())
    for job in (hidden, shared):
        async with ada.client(agent) as client:
            run = (await client.post(f"/api/jobs/{job.id}")).json()
            await client.post(f"/api/jobs/{job.id}/_pause")
            await client.post(f"/api/runs/{run['id']}/_cancel")
    own = await a_job(agent, bob, "Own")
    heard = [await listener.next() for _ in range(4)]
    assert [kind for kind, _ in heard] == ["run.created", "job.changed", "run.changed", "job.created"]
    assert {data["data"].get("jobId", data["subjectId"]) for _, data in heard} == {shared.id, own.id}


@pytest.mark.parametrize("is_live", [True, False])
async def test_who_is_given_or_refused_a_job_begins_anew(
    agent: RunningAgent, ada: Person, bob: Person, is_live: bool
) -> None:
    job = await a_job(agent, ada)
    position = await agent.core.store.last_event_id()
    if is_live:
        listener = Listener(agent, bob, position)
        first = await a_job(agent, bob, "First")
        assert (await listener.next())[1]["subjectId"] == first.id
    await share(agent, ada, f"/api/jobs/{job.id}", "bob", "reader")
    if not is_live:
        listener = Listener(agent, bob, position)
    kind, data = await listener.next()
    assert (kind, data["reason"]) == ("reset", "access")
    listener = Listener(agent, bob, data["lastEventId"])
    async with ada.client(agent) as client:
        await client.post(f"/api/jobs/{job.id}/_pause")
        assert (await listener.next())[1]["subjectId"] == job.id
        await client.delete(f"/api/jobs/{job.id}/shares/bob")
        await client.post(f"/api/jobs/{job.id}/_resume")
    assert (await listener.next())[0] == "reset"


async def test_who_may_see_a_job_hears_of_its_missed_fires_and_of_no_others(
    agent: RunningAgent, ada: Person, bob: Person
) -> None:
    make = Maker(agent.core.store)
    hidden, shared = [
        await make.job(name, account="default", owner=ada.id, next_fire_at=NOW) for name in ("Hidden", "Shared")
    ]
    await share(agent, ada, f"/api/jobs/{shared.id}", "bob", "runner")
    position = await agent.core.store.last_event_id()
    listeners = {person: Listener(agent, person, position) for person in (bob, None)}
    for job in (hidden, shared):
        await make.settle(job, FireRow(NOW, FireOutcome.HELD, FireReason.AWAITING_OPERATOR))
        async with agent.local() as local:
            assert (await local.post("/api/catch-up/_discard", json={"jobs": [job.id]})).json()["discarded"] == 1
    no_counts = {"count": None, "waiting": None, "jobs": None, "jobIds": None}
    for act, by in (("held", None), ("discarded", "operator")):
        assert await listeners[bob].next_of("catch_up.changed") == {"act": act, "by": by, **no_counts}
    heard = [await listeners[None].next_of("catch_up.changed") for _ in range(4)]
    assert [(each["act"], each["count"], each["jobIds"]) for each in heard] == [
        (act, 1, [job.id]) for job in (hidden, shared) for act in ("held", "discarded")
    ]


async def test_what_workers_of_all_are_at_is_told_to_the_account_whose_run_it_is(agent: RunningAgent) -> None:
    position, now = await agent.core.store.last_event_id(), agent.clock.now()
    busy = {"run_id": "r-1", "job_name": "confidential", "account_id": "other"}
    worker = Worker(id="w1", agent_id="a1", pid=1, state="busy", started_at=now, heartbeat_at=now, **busy)
    await agent.core.store.put_workers([worker], now)
    ours, theirs = Listener(agent, None, position), Listener(agent, None, position, account="other")
    told = (await ours.next())[1]["data"]
    assert (told["state"], told["runId"], told["jobName"], told["accountId"]) == ("busy", None, None, None)
    assert (await theirs.next())[1]["data"]["jobName"] == "confidential"


async def test_a_run_of_somebody_else_says_nothing_of_its_progress(
    agent: RunningAgent, ada: Person, bob: Person
) -> None:
    store, now = agent.core.store, agent.clock.now()
    runs = {}
    for person in (ada, bob):
        job = await a_job(agent, person, f"{person.handle}'s")
        async with person.client(agent) as client:
            runs[person.handle] = (await client.post(f"/api/jobs/{job.id}")).json()["id"]
    claimed = await store.claim(["w1", "w2"], "agent-1", now + timedelta(minutes=1), now)
    listener = Listener(agent, bob, await store.last_event_id())
    said = {"done": 1, "total": 2, "unit": "rows", "note": "confidential"}
    await store.update_runs([RunUpdate(fence(each), progress=said) for each in claimed], now)
    kind, data = await listener.next()
    assert (kind, data["subjectId"]) == ("run.progress", runs["bob"])
    async with bob.client(agent) as client:
        await client.post(f"/api/runs/{runs['bob']}/_cancel")
    assert (await listener.next())[1]["subjectId"] == runs["bob"]


async def test_a_log_that_is_followed_ends_with_theshare(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada)
    await share(agent, ada, f"/api/jobs/{job.id}", "bob", "reader")
    async with ada.client(agent) as client:
        run = (await client.post(f"/api/jobs/{job.id}")).json()["id"]
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE), bob.client(agent) as reader, ada.client(agent) as owner:
        await agent.core.logs.append(run, [WireLine(at=agent.clock.now(), text="for both")], [])
        async with reader.stream("GET", f"/api/runs/{run}/log/follow") as stream:
            async for event in EventSource(stream).aiter_sse():
                if event.event == "lines":
                    heard += [line["text"] for line in json.loads(event.data)["lines"]]
                    assert (await owner.delete(f"/api/jobs/{job.id}/shares/bob")).status_code == 204
                    await agent.core.logs.append(run, [WireLine(at=agent.clock.now(), text="for ada")], [])
                    await agent.core.logs.seal(run)
    assert heard == ["for both"]


async def test_who_administers_no_more_hears_no_more_of_others(
    agent: RunningAgent, ada: Person, people: People
) -> None:
    boss = await people.make("boss", *EVERYTHING, "admin", role="admin")
    first = await a_job(agent, ada, "First")
    position = {"after": await agent.core.store.last_event_id()}
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE), boss.client(agent) as client, agent.local() as local:
        async with client.stream("GET", "/api/events", params=position) as stream:
            async with ada.client(agent) as owner:
                await owner.post(f"/api/jobs/{first.id}/_pause")
            async for event in EventSource(stream).aiter_sse():
                if event.event != "job.changed":
                    continue
                heard.append(json.loads(event.data)["subjectId"])
                demoted = await local.put("/api/users/boss/membership", json={"role": "member", "code": True})
                assert demoted.status_code == 200, demoted.text
                async with ada.client(agent) as owner:
                    await owner.post(f"/api/jobs/{first.id}/_resume")
        assert heard == [first.id]
        assert (await client.get(f"/api/jobs/{first.id}")).status_code == 404


MADE_PRIVATE = {
    "connections": {"name": "hushed_db", "url": "sqlite:////srv/hushed.db"},
    "knowledge-bases": {"name": "hushed_kb"},
    "datasets": {"name": "hushed"},
}


@pytest.mark.parametrize("place", MADE_PRIVATE)
async def test_what_is_made_private_was_never_anybody_elses(
    agent: RunningAgent, bob: Person, people: People, place: str
) -> None:
    boss = await people.make("boss", *EVERYTHING, "admin", role="admin")
    listener = Listener(agent, bob, await agent.core.store.last_event_id())
    async with boss.client(agent) as owner, bob.client(agent) as client:
        told = (await owner.post(f"/api/{place}", json=MADE_PRIVATE[place] | {"name": "open"})).json()["id"]
        assert (await listener.next())[1]["subjectId"] == told
        wrong = await owner.post(f"/api/{place}", json=MADE_PRIVATE[place] | {"visibility": "hidden"})
        assert (wrong.status_code, wrong.json()["error"]["faults"][0]["field"]) == (400, "visibility")
        answer = await owner.post(f"/api/{place}", json=MADE_PRIVATE[place] | {"visibility": "private"})
        assert (answer.status_code, answer.json()["visibility"]) == (201, "private"), answer.text
        assert answer.json()["ownerId"] == boss.id
        assert (await listener.next())[1]["reason"] == "access"
        assert [each["id"] for each in (await client.get(f"/api/{place}")).json()["items"]] == [told]
        assert (await client.get(f"/api/{place}/{answer.json()['id']}")).status_code == 404
        last = (await owner.post(f"/api/{place}", json=MADE_PRIVATE[place] | {"name": "another"})).json()["id"]
        assert (await listener.next())[1]["subjectId"] == last


async def test_a_private_secret_is_there_for_whom_it_is_shared_with(
    agent: RunningAgent, ada: Person, bob: Person, people: People
) -> None:
    """From its first moment on: neither a list nor an event tells the others that there is one."""
    boss = await people.make("boss", *EVERYTHING, "admin", role="admin")
    listener = Listener(agent, bob, await agent.core.store.last_event_id())
    async with boss.client(agent) as client:
        assert (await client.put("/api/secrets/open", json={"value": "x"})).status_code == 204
        assert (await listener.next())[1]["subjectId"] == "open"
        given = {"value": "x", "visibility": "private"}
        assert (await client.put("/api/secrets/hushed", json=given)).status_code == 204
        assert (await client.get("/api/secrets/hushed")).json()["ownerId"] == boss.id
    kind, data = await listener.next()
    assert (kind, data["reason"]) == ("reset", "access")
    async with bob.client(agent) as client, boss.client(agent) as owner:
        assert [each["name"] for each in (await client.get("/api/secrets")).json()["items"]] == ["open"]
        await owner.post("/api/secrets/hushed/shares", json={"principalId": "bob", "accessLevel": "reader"})
        assert [each["name"] for each in (await client.get("/api/secrets")).json()["items"]] == ["hushed", "open"]
        assert (await owner.delete("/api/secrets/hushed")).status_code == 204
        await owner.put("/api/secrets/hushed", json={"value": "y", "visibility": "private"})
        assert (await client.get("/api/secrets/hushed")).status_code == 404, "shares went with the one before"
