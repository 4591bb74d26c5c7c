"""Sharing: who may say what of whom, what a level lets one do, and what a job may use."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource

from agent.core.callers import EVERY_SCOPE, Caller
from agent.core.records import FireRow, Outcome, RunUpdate
from agent.core.wire import WireLine
from shared.models import ConnectionInput, FireOutcome, FireReason, JobInput, SecretInput, Worker
from tests.contract.api.people import EVERYTHING, People, Person, a_job, definition
from tests.contract.store.making import NOW, Maker, fence
from tests.harness.agent import RunningAgent


@pytest.fixture
def people(agent: RunningAgent) -> People:
    return People(agent)


@pytest.fixture
async def ada(people: People) -> Person:
    return await people.make("ada")


@pytest.fixture
async def bob(people: People) -> Person:
    return await people.make("bob")


async def _share(agent: RunningAgent, owner: Person, path: str, principal: str, level: str) -> httpx.Response:
    async with owner.client(agent) as client:
        return await client.post(f"{path}/shares", json={"principalId": principal, "accessLevel": level})


async def test_a_share_is_made_changed_listed_and_taken_back(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada)
    path = f"/api/jobs/{job.id}"
    made = await _share(agent, ada, path, "bob", "reader")
    assert (made.status_code, made.json()["principalId"], made.json()["principalName"]) == (201, bob.id, "bob")
    again = await _share(agent, ada, path, bob.id, "runner")
    assert (again.status_code, again.json()["accessLevel"], again.json()["grantedBy"]) == (200, "runner", "ada")
    async with bob.client(agent) as client:
        listed = (await client.get(f"{path}/shares")).json()["items"]
        assert [(share["principalName"], share["accessLevel"]) for share in listed] == [("bob", "runner")]
        assert (await client.post(path)).status_code == 202
    async with ada.client(agent) as client:
        assert (await client.delete(f"{path}/shares/bob")).status_code == 204
        assert (await client.delete(f"{path}/shares/bob")).status_code == 404
    async with bob.client(agent) as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/api/runs")).json()["items"] == []


async def test_everyone_is_every_user_of_the_account_and_nobody_elses(
    agent: RunningAgent, ada: Person, bob: Person, people: People
) -> None:
    job = await a_job(agent, ada)
    assert (await _share(agent, ada, f"/api/jobs/{job.id}", "everyone", "reader")).status_code == 201
    async with bob.client(agent) as client:
        assert (await client.get(f"/api/jobs/{job.id}")).status_code == 200
        assert [each["id"] for each in (await client.get("/api/jobs")).json()["_embedded"]["inf:job"]] == [job.id]
    async with agent.local() as local:
        await local.post("/api/accounts", json={"id": "other"})
    eve = await people.make("eve", account="other")
    async with eve.client(agent) as client:
        assert (await client.get(f"/api/jobs/{job.id}")).status_code == 404
        assert (await client.get("/api/jobs")).json()["total"] == 0


async def test_of_two_shares_the_higher_one_counts(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada)
    path = f"/api/jobs/{job.id}"
    await _share(agent, ada, path, "everyone", "reader")
    await _share(agent, ada, path, "bob", "editor")
    async with bob.client(agent) as client:
        assert (await client.post(f"{path}/_pause")).status_code == 200
        assert (await client.delete(path)).status_code == 403


@pytest.mark.parametrize("principal", ["nobody-of-that-name", "eve"])
async def test_a_principal_that_is_no_user_of_the_account_is_refused_by_field(
    agent: RunningAgent, ada: Person, people: People, principal: str
) -> None:
    async with agent.local() as local:
        await local.post("/api/accounts", json={"id": "other"})
    await people.make("eve", account="other")
    job = await a_job(agent, ada)
    refused = await _share(agent, ada, f"/api/jobs/{job.id}", principal, "reader")
    assert refused.status_code == 400
    [fault] = refused.json()["error"]["faults"]
    assert (fault["field"], fault["value"]) == ("principalId", principal)
    assert "everyone" in fault["message"]


async def test_a_manager_shares_and_whoever_lacks_code_edits_no_program(
    agent: RunningAgent, ada: Person, bob: Person, people: People
) -> None:
    async with ada.client(agent) as client:
        program = {"name": "Prune", "type": "command", "data": {"command": ["true"]}}
        job = (await client.post("/api/jobs", json=program)).json()
    path = f"/api/jobs/{job['id']}"
    await _share(agent, ada, path, "bob", "manager")
    assert (await _share(agent, bob, path, "everyone", "reader")).status_code == 201
    harmless = await people.known("bob", bob.id, "read", "edit", "run", "delete")
    async with harmless.client(agent) as client:
        for refused in (
            await client.put(path, json={**program, "data": {"command": ["rm"]}}),
            await client.put(path, json=definition("Prune")),
        ):
            assert refused.status_code == 403
            assert "code" in refused.json()["error"]["message"]
        assert (await client.post(path)).status_code == 202


async def test_nobody_is_called_everyone(agent: RunningAgent) -> None:
    async with agent.local() as local:
        refused = await local.post("/api/users", json={"handle": "Everyone"})
    assert refused.status_code == 400
    assert refused.json()["error"]["faults"][0]["field"] == "handle"


async def test_an_older_revision_is_an_editors_to_start_again(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada)
    path, store, now = f"/api/jobs/{job.id}", agent.core.store, agent.clock.now()
    async with ada.client(agent) as client:
        run = (await client.post(path)).json()["id"]
    (claimed,) = await store.claim(["w"], "agent", now + timedelta(minutes=1), now)
    await store.finish([Outcome(fence(claimed), "completed", now)], now)
    rerun = f"/api/runs/{run}/_rerun"
    await _share(agent, ada, path, "bob", "runner")
    async with bob.client(agent) as client:
        same = await client.post(rerun, json={"ownRevision": True})
        assert (same.status_code, same.json()["revision"]) == (201, 1), "it is what the job is"
        async with ada.client(agent) as owner:
            assert (await owner.put(path, json=definition(description="safe now"))).status_code == 200
        refused = await client.post(rerun, json={"ownRevision": True})
        assert refused.status_code == 403
        assert "as editor" in refused.json()["error"]["message"]
        bulk = {"act": "rerun", "runs": [{"id": run}], "ownRevision": True}
        [item] = (await client.post("/api/runs/_bulk", json=bulk)).json()["items"]
        assert (item["ok"], item["error"]["code"]) == (False, "forbidden")
        assert (await client.post(rerun, json={})).json()["revision"] == 2
        await _share(agent, ada, path, "bob", "editor")
        assert (await client.post(rerun, json={"ownRevision": True})).json()["revision"] == 1


async def test_what_is_given_to_another_is_the_others(
    agent: RunningAgent, ada: Person, bob: Person, people: People
) -> None:
    boss = await people.make("boss", *EVERYTHING, "admin", role="admin")
    async with ada.client(agent) as client:
        made = (await client.post("/api/datasets", json={"name": "orders"})).json()["id"]
        assert (await client.put(f"/api/datasets/{made}/visibility", json={"visibility": "private"})).status_code == 204
        refused = await client.put(f"/api/datasets/{made}/owner", json={"ownerId": "bob"})
        assert refused.status_code == 403, "what its owner may use, jobs use through it: that is not ada's to give"
    async with boss.client(agent) as client:
        unknown = await client.put(f"/api/datasets/{made}/owner", json={"ownerId": "nobody"})
        assert unknown.json()["error"]["faults"][0]["field"] == "ownerId"
        assert (await client.put(f"/api/datasets/{made}/owner", json={"ownerId": "bob"})).status_code == 204
    async with ada.client(agent) as client:
        assert (await client.get(f"/api/datasets/{made}")).status_code == 404
    async with bob.client(agent) as client:
        assert (await client.delete(f"/api/datasets/{made}")).status_code == 204


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


# -- what a job may use ------------------------------------------------------------------------------------------------


async def _private_source(agent: RunningAgent, owner: Person, world: RunningAgent) -> str:
    """The world's connection, made private to that user."""
    caller = Caller("default", owner.id, owner.handle, EVERY_SCOPE, "token")
    source = (await world.core.world.list_connections(world.core.gate.local()))[0]
    made = await agent.core.world.create_connection(caller, ConnectionInput(name="private_db", url=source.url))
    await agent.core.shares.set_visibility(caller, "connection", made.id, "private")
    return str(made.id)


def _sync(**fields: Any) -> dict[str, Any]:
    data = {
        "source_table": "private_db.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product"],
        "filter_column": "created_at",
    }
    return JobInput(name="Sync", type="kb-sync", data=data, **fields).model_dump(mode="json", by_alias=True)


async def test_who_may_not_see_a_connection_cannot_name_it(
    world: RunningAgent, ada: Person, bob: Person, agent: RunningAgent
) -> None:
    source = await _private_source(agent, ada, world)
    async with bob.client(agent) as client:
        assert (await client.get(f"/api/connections/{source}")).status_code == 404
        assert [each["name"] for each in (await client.get("/api/connections")).json()["items"]] == ["orders_db"]
        refused = (await client.post("/api/jobs", json=_sync())).json()["error"]
    [fault] = refused["faults"]
    assert fault["field"] == "data.source_table"
    assert fault["message"] == "there is no connection 'private_db'; there are: orders_db"
    await _share(agent, ada, f"/api/connections/{source}", "bob", "reader")
    async with bob.client(agent) as client:
        assert (await client.post(f"/api/connections/{source}/_test")).json()["ok"] is True
        refused = (await client.post("/api/jobs", json=_sync())).json()["error"]
        assert "shared with you as runner" in refused["faults"][0]["message"]
    await _share(agent, ada, f"/api/connections/{source}", "bob", "runner")
    async with bob.client(agent) as client:
        assert (await client.post("/api/jobs", json=_sync())).status_code == 201


async def test_an_editor_may_change_all_but_what_somebody_elses_job_uses(
    world: RunningAgent, ada: Person, bob: Person, agent: RunningAgent
) -> None:
    source = await _private_source(agent, ada, world)
    async with ada.client(agent) as client:
        job = (await client.post("/api/jobs", json=_sync())).json()
    path = f"/api/jobs/{job['id']}"
    await _share(agent, ada, path, "bob", "editor")
    async with bob.client(agent) as client:
        assert (await client.put(path, json=_sync(description="by bob"))).status_code == 200
        wider = _sync()
        wider["data"]["content_columns"] = ["product", "description"]
        assert (await client.put(path, json=wider)).status_code == 400
        draft = (await client.post(f"{path}/_edit")).json()
        await client.put(f"/api/jobs/{draft['id']}", json=_sync(description="by draft"))
        assert (await client.post(f"{path}/_commit")).status_code == 200
    await _share(agent, ada, f"/api/connections/{source}", "bob", "runner")
    async with bob.client(agent) as client:
        assert (await client.put(path, json=wider)).status_code == 200


async def test_a_run_acts_as_its_jobs_owner(world: RunningAgent, ada: Person, bob: Person, agent: RunningAgent) -> None:
    """An administrator cannot give somebody's job what its owner may not use."""
    await _private_source(agent, ada, world)
    job = await a_job(agent, bob)
    async with agent.local() as local:
        refused = await local.put(f"/api/jobs/{job.id}", json=_sync())
        assert refused.status_code == 400
        assert "share it with the job's owner as runner" in refused.json()["error"]["faults"][0]["message"]
        assert (await local.post("/api/jobs", json=_sync())).status_code == 201


# -- what one hears ----------------------------------------------------------------------------------------------------


class Listener:
    """An open stream of a user's events."""

    def __init__(
        self, agent: RunningAgent, user: Person | None, after: int | None = None, account: str = "default"
    ) -> None:
        """`user` None: who administers the account."""
        self._stream = agent.agent.api.state.api.broadcast.stream(account, after, user.id if user else None)
        self._heard: list[tuple[str, dict[str, Any]]] = []

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Kind and data of the next event; StopAsyncIteration at the end of the stream."""
        while not self._heard:
            text = (await asyncio.wait_for(anext(self._stream), 20)).decode()
            frames = [dict(line.split(": ", 1) for line in frame.split("\n")) for frame in text.split("\n\n") if frame]
            self._heard = [(frame["event"], json.loads(frame["data"])) for frame in frames if "event" in frame]
        return self._heard.pop(0)

    async def next_of(self, kind: str) -> dict[str, Any]:
        """What the next event of that kind says."""
        while True:
            heard, event = await self.next()
            if heard == kind:
                data: dict[str, Any] = event["data"]
                return data


async def test_events_are_told_to_whom_their_job_is_shown(agent: RunningAgent, ada: Person, bob: Person) -> None:
    shared, hidden = await a_job(agent, ada, "Shared"), await a_job(agent, ada, "Hidden")
    await _share(agent, ada, f"/api/jobs/{shared.id}", "bob", "reader")
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
    await _share(agent, ada, f"/api/jobs/{job.id}", "bob", "reader")
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
    await _share(agent, ada, f"/api/jobs/{shared.id}", "bob", "runner")
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


async def test_a_log_that_is_followed_ends_with_the_share(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada)
    await _share(agent, ada, f"/api/jobs/{job.id}", "bob", "reader")
    async with ada.client(agent) as client:
        run = (await client.post(f"/api/jobs/{job.id}")).json()["id"]
    heard: list[str] = []
    async with asyncio.timeout(30), bob.client(agent) as reader, ada.client(agent) as owner:
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
    async with asyncio.timeout(30), boss.client(agent) as client, agent.local() as local:
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


async def test_a_token_says_what_its_administrator_may_use_by_it(
    world: RunningAgent, ada: Person, people: People, agent: RunningAgent
) -> None:
    """Without the scope `admin` it reaches no further than anybody's: what it cannot list it cannot name."""
    await _private_source(agent, ada, world)
    boss = await people.make("boss", *EVERYTHING, role="admin")
    async with boss.client(agent) as client:
        refused = (await client.post("/api/jobs", json=_sync())).json()["error"]
    assert refused["faults"][0]["message"] == "there is no connection 'private_db'; there are: orders_db"
    whole = await people.known("boss", boss.id, *EVERYTHING, "admin")
    async with whole.client(agent) as client:
        assert (await client.post("/api/jobs", json=_sync())).status_code == 201


@pytest.mark.parametrize("secret", ["connection-warehouse", "warehouse-password"])
async def test_what_opens_a_connection_is_sent_nowhere_else(
    agent: RunningAgent, bob: Person, people: People, secret: str
) -> None:
    """Whoever may have queries run over a connection does not learn its password by a header, a mail or a program."""
    local = agent.core.gate.local()
    await agent.core.secrets.put(local, "warehouse-password", SecretInput(value="hush"))
    for name, given in (("warehouse", None), ("reports", "warehouse-password")):
        url = f"postgresql://reader{'' if given else ':hush'}@db.example/{name}"
        await agent.core.world.create_connection(local, ConnectionInput(name=name, url=url, secret_name=given))
    header = {"headers": {"X-Stolen": {"secret": secret}}}
    mail = {"to": "bob@example.org", "subject": "s", "text": "t", "server": {
        "host": "bob.example", "user": "u", "secret": secret, "from": "bob@example.org",
    }}  # fmt: skip
    thefts: list[dict[str, Any]] = [
        {"data": {"url": "https://bob.example/", **header}},
        {"type": "command", "data": {"command": ["env"], "env": {"KEY": {"secret": secret}}}},
        {"actions": [{"id": "a", "type": "webhook", "data": {"url": "https://bob.example/", **header}}]},
        {"actions": [{"id": "a", "type": "email", "data": mail}]},
    ]
    async with bob.client(agent) as client:
        for theft in thefts:
            refused = await client.post("/api/jobs", json={**definition("Theft"), **theft})
            assert refused.status_code == 400, refused.text
            [fault] = refused.json()["error"]["faults"]
            assert fault["value"] == secret
            assert "only administrators name it" in fault["message"]
    boss = await people.make("boss", *EVERYTHING, "admin", role="admin")
    async with boss.client(agent) as client:
        for number, known in enumerate(thefts):
            made = await client.post("/api/jobs", json={**definition(f"Known {number}"), **known})
            assert made.status_code == 201, made.text


async def test_a_dataset_reaches_what_its_owner_may_use_now(
    world: RunningAgent, ada: Person, bob: Person, agent: RunningAgent
) -> None:
    """Whoever had a connection, and has it no more, has it by no dataset either."""
    source = await _private_source(agent, ada, world)
    await _share(agent, ada, f"/api/connections/{source}", "bob", "runner")
    async with bob.client(agent) as client:
        given = {"name": "orders", "connection": "private_db", "query": "select * from orders"}
        assert (await client.post("/api/datasets", json=given)).status_code == 201
        refresh = {"type": "dataset-refresh", "data": {"dataset": "orders"}}
        assert (await client.post("/api/jobs", json={"name": "Before", **refresh})).status_code == 201
    async with ada.client(agent) as client:
        assert (await client.delete(f"/api/connections/{source}/shares/bob")).status_code == 204
    async with bob.client(agent) as client:
        refused = await client.post("/api/jobs", json={"name": "After", **refresh})
        assert refused.status_code == 400
        assert "share it with the owner of the dataset 'orders'" in refused.json()["error"]["faults"][0]["message"]


async def test_a_draft_outlives_a_share_and_tells_nothing_more_by_previews(
    agent: RunningAgent, ada: Person, bob: Person
) -> None:
    mail = {"to": "a@example.org", "subject": "{{ results.main.told }}", "text": "t", "server": {
        "host": "mail.example.org", "from": "bob@example.org",
    }}  # fmt: skip
    job = await a_job(agent, ada, actions=[{"id": "tell", "type": "email", "data": mail}])
    path = f"/api/jobs/{job.id}"
    await _share(agent, ada, path, "bob", "editor")
    store, now = agent.core.store, agent.clock.now()
    async with ada.client(agent) as client:
        run = (await client.post(path)).json()["id"]
    (claimed,) = await store.claim(["w"], "agent", now + timedelta(minutes=1), now)
    await store.finish([Outcome(fence(claimed), "completed", now, result={"told": "confidential"})], now)
    async with bob.client(agent) as client:
        draft = (await client.post(f"{path}/_edit")).json()["id"]
        preview = f"/api/jobs/{draft}/actions/tell/_preview"
        before = (await client.post(preview)).json()
        assert (before["basedOnRunId"], before["would"]["subject"]) == (run, "confidential")
        async with ada.client(agent) as owner:
            assert (await owner.delete(f"{path}/shares/bob")).status_code == 204
        after = await client.post(preview)
        assert (after.status_code, after.json()["basedOnRunId"]) == (200, None)
        assert "confidential" not in after.text
