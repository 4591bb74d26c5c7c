"""The record: who did what, from where, in the transaction of what was done; and who was refused, bounded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.core.permissions.audit import (
    AUTHENTICATE,
    LOG_IN,
    MOST_EACH,
    MOST_ROWS,
    MOST_UNPROVEN,
    NOBODY,
    WINDOW,
    Acting,
)
from agent.core.permissions.callers import EVERY_SCOPE, Caller
from agent.core.permissions.overreach import FOREIGN
from agent.core.permissions.rules import Hidden
from agent.core.records import AuditQuery
from shared.errors import Unauthenticated
from shared.ids import new_id
from shared.models import TokenInput
from tests.contract.api.people import EVERYTHING, People, a_job, definition
from tests.harness.agent import RunningAgent


@pytest.fixture
def people(agent: RunningAgent) -> People:
    return People(agent)


async def _record(agent: RunningAgent, **wanted: Any) -> list[dict[str, Any]]:
    async with agent.local() as local:
        answer = await local.get("/api/audit", params=wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_act_says_who_what_from_where_and_to_which_revision(agent: RunningAgent, people: People) -> None:
    ada = await people.make("ada")
    job = await a_job(agent, ada)
    async with agent.tcp(ada.token, **{"User-Agent": "night-shift/2"}) as client:
        await client.put(f"/api/jobs/{job.id}", json=definition("Orders by night"))
    [row] = await _record(agent, act="replace_job")
    assert (row["handle"], row["userId"], row["via"], row["outcome"]) == ("ada", ada.id, "token", "done")
    assert (row["subjectId"], row["subjectName"], row["revision"]) == (job.id, "Orders by night", 2)
    assert (row["address"], row["client"], row["event"]) == ("127.0.0.1", "night-shift/2", "job.changed")
    assert row["tokenId"]
    assert ada.token not in str(row)


async def test_a_draft_is_recorded_by_its_name(agent: RunningAgent, people: People) -> None:
    ada = await people.make("ada")
    async with agent.tcp(ada.token) as client:
        made = await client.post("/api/drafts", json=definition("Orders by night"))
        assert made.status_code == 201, made.text
    rows = await _record(agent, subject="Orders by night")
    assert [(row["event"], row["subjectId"]) for row in rows] == [("draft.changed", made.json()["id"])]


@pytest.mark.parametrize(
    ("path", "given", "event"),
    [
        ("connections", {"name": "night_orders", "url": "sqlite:////srv/orders.db"}, "connection.changed"),
        ("knowledge-bases", {"name": "night_orders"}, "knowledge_base.changed"),
        ("users", {"handle": "night_orders", "password": "correct horse battery"}, "user.changed"),
    ],
)
async def test_what_is_made_is_recorded_by_its_name(
    agent: RunningAgent, path: str, given: dict[str, Any], event: str
) -> None:
    async with agent.local() as local:
        made = await local.post(f"/api/{path}", json=given)
        assert made.status_code == 201, made.text
    [row] = await _record(agent, subject="night_orders")
    assert (row["event"], row["subjectId"]) == (event, made.json()["id"])


async def test_a_write_that_is_refused_leaves_no_act(agent: RunningAgent, people: People) -> None:
    ada = await people.make("ada")
    job = await a_job(agent, ada)
    async with ada.client(agent) as client:
        taken = await client.post("/api/jobs", json=definition())
        stale = await client.put(f"/api/jobs/{job.id}", json=definition(), headers={"If-Match": '"7"'})
    assert (taken.status_code, stale.status_code) == (409, 409)
    assert [row["act"] for row in await _record(agent, user="ada")] == ["create_job"]


async def test_runs_asked_for_at_once_are_each_their_callers(agent: RunningAgent, people: People) -> None:
    ada, bob = await people.make("ada"), await people.make("bob")
    theirs = {ada: await a_job(agent, ada, "A"), bob: await a_job(agent, bob, "B")}
    for person, job in theirs.items():
        async with person.client(agent) as client:
            run = (await client.post(f"/api/jobs/{job.id}")).json()
        [row] = await _record(agent, act="run_job", user=person.handle)
        assert (row["subjectId"], row["subjectName"], row["event"]) == (run["id"], job.name, "run.created")


async def test_a_secret_is_recorded_by_its_name_alone(agent: RunningAgent) -> None:
    async with agent.local() as local:
        assert (await local.put("/api/secrets/hook", json={"value": "s3cr3t-text"})).status_code == 204
        assert (await local.delete("/api/secrets/hook")).status_code == 204
    rows = await _record(agent, subject="hook")
    assert [row["act"] for row in rows] == ["delete_secret", "put_secret"]
    assert {row["via"] for row in rows} == {"socket"}
    assert "s3cr3t" not in str(await _record(agent))


async def test_a_refusal_is_recorded_once_and_counted(agent: RunningAgent, people: People) -> None:
    ada, bob = await people.make("ada"), await people.make("bob")
    job = await a_job(agent, ada)
    async with ada.client(agent) as client:
        await client.post(f"/api/jobs/{job.id}/shares", json={"principalId": "bob", "accessLevel": "reader"})
    async with bob.client(agent) as client:
        for _ in range(5):
            assert (await client.delete(f"/api/jobs/{job.id}")).status_code == 403
    [row] = await _record(agent, outcome="refused")
    assert (row["handle"], row["act"], row["subjectId"], row["count"]) == ("bob", "delete_job", job.id, 5)
    assert "manager" in row["reason"]
    [shared] = await _record(agent, act="share_job")
    assert [each["subjectName"] for each in (row, shared)] == [job.name, job.name]


async def test_what_is_not_there_for_the_caller_is_recorded_and_what_is_nowhere_is_not(
    agent: RunningAgent, people: People
) -> None:
    ada, bob = await people.make("ada"), await people.make("bob")
    job = await a_job(agent, ada)
    async with agent.local() as local:
        await local.post("/api/accounts", json={"id": "other"})
    eve = await people.make("eve", *EVERYTHING, "admin", role="admin", account="other")
    for person in (bob, eve):
        async with person.client(agent) as client:
            for path in (f"/api/jobs/{job.id}", f"/api/jobs/{job.id}", "/api/jobs/never", f"/api/runs/{new_id()}"):
                assert (await client.get(path)).status_code == 404
            assert (await client.post(f"/api/jobs/{job.id}/_pause")).status_code == 404
    said = [("pause_job", job.id, 1), ("get_job", job.id, 2)]
    rows = await _record(agent, outcome="refused")
    assert [(row["act"], row["subjectId"], row["count"]) for row in rows] == said
    assert {(row["handle"], row["reason"]) for row in rows} == {("bob", Hidden.why)}
    async with eve.client(agent) as client:
        foreign = (await client.get("/api/audit")).json()["items"]
    assert [(row["act"], row["subjectId"], row["count"]) for row in foreign] == said
    assert {(row["reason"], row["subjectName"]) for row in foreign} == {(FOREIGN, None)}


async def test_a_missing_scope_and_a_revoked_token_are_refusals_of_somebody(
    agent: RunningAgent, people: People
) -> None:
    ada = await people.make("ada", "read")
    async with ada.client(agent) as client:
        assert (await client.post("/api/jobs", json=definition())).status_code == 403
    made = await agent.core.gate.tokens.create(
        agent.core.gate.local(), TokenInput(name="old", scopes=["read"], user="ada")
    )
    await agent.core.gate.tokens.revoke(agent.core.gate.local(), made.info.id)
    async with agent.tcp(made.token) as client:
        assert (await client.get("/api/jobs")).status_code == 401
    async with agent.tcp("jd_unknown") as client:
        assert (await client.get("/api/jobs")).status_code == 401
    rows = await _record(agent, outcome="refused", user="ada")
    assert [(row["handle"], row["act"]) for row in rows] == [("ada", "list_jobs"), ("ada", "create_job")]
    assert rows[0]["tokenId"] == made.info.id
    assert rows[0]["address"] == "127.0.0.1"


@pytest.mark.parametrize("sent", ["jd_{}", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ7fSJ9.{}"])
async def test_tokens_that_nobody_has_are_one_row_for_each_sender_and_keep_no_word(
    agent: RunningAgent, sent: str
) -> None:
    tried = [sent.format(f"guess{number}") for number in range(40)]
    async with agent.tcp() as client:
        assert (await client.get("/api/jobs")).status_code == 401, "who sends nothing tries nothing"
        for place, token in enumerate(tried):
            header = {"Authorization": f"Bearer {token}"} if place % 2 else {"x-api-key": token}
            assert (await client.get(f"/api/jobs/{token}", headers=header)).status_code == 401
    [row] = await _record(agent, outcome="refused")
    assert (row["handle"], row["act"], row["subjectId"], row["count"]) == ("(unknown)", "authenticate", "", 40)
    assert (row["accountId"], row["address"]) == ("default", "127.0.0.1")
    assert "guess" not in str(row)


async def test_many_senders_of_unknown_tokens_fill_no_record(agent: RunningAgent) -> None:
    """From new addresses all the time: a few rows an hour, and every try is counted in one of them."""
    audit, clock = agent.core.audit, agent.clock
    ada = Caller("default", "u-ada", "ada", EVERY_SCOPE, "token")
    await audit.refused(Acting(ada, "create_job", "x"), "no")
    for minute in range(120):
        for number in range(20):
            address = f"198.51.{minute}.{number}"
            sender = Caller("default", "", NOBODY, frozenset(), "token", address=address)
            await audit.note(Acting(sender, AUTHENTICATE), Unauthenticated("no"))
        as_ada = Caller("default", "u-ada", "ada", frozenset(), "session", address=f"198.51.{minute}.99")
        await audit.refused(Acting(as_ada, LOG_IN), "wrong password")
        clock.advance(WINDOW)
    rows = await _record(agent, outcome="refused", limit=200)
    guessed = [row for row in rows if row["handle"] == NOBODY]
    as_ada_rows = [row for row in rows if row["handle"] == "ada" and row["act"] != "create_job"]
    assert len(guessed) + len(as_ada_rows) <= 2 * (MOST_UNPROVEN + 2)
    assert sum(row["count"] for row in guessed) == 120 * 20
    assert sum(row["count"] for row in as_ada_rows) == 120
    assert sum(row["act"] == "create_job" for row in rows) == 1


async def test_what_is_counted_in_a_long_window_is_stored_each_minute(agent: RunningAgent) -> None:
    """No more than that is lost with an agent that dies."""
    sender = Acting(Caller("default", "", NOBODY, frozenset(), "token", address="198.51.100.7"), AUTHENTICATE)
    for _ in range(100):
        await agent.core.audit.note(sender, Unauthenticated("no"))
    agent.clock.advance(WINDOW)
    await agent.core.audit.note(sender, Unauthenticated("no"))
    [stored] = await agent.core.store.list_audit("default", AuditQuery(outcome="refused"))
    assert stored.count == 100


async def test_one_act_on_many_leaves_a_row_for_each_and_for_each_refusal(agent: RunningAgent, people: People) -> None:
    ada, bob = await people.make("ada"), await people.make("bob")
    own, other = await a_job(agent, bob, "Own"), await a_job(agent, ada, "Other")
    async with ada.client(agent) as client:
        foreign = (await client.post(f"/api/jobs/{other.id}")).json()["id"]
        await client.put(f"/api/jobs/{other.id}/shares/bob", json={"accessLevel": "reader"})
    async with bob.client(agent) as client:
        mine = (await client.post(f"/api/jobs/{own.id}")).json()["id"]
        wanted = {"act": "cancel", "runs": [{"id": mine}, {"id": foreign}]}
        answer = (await client.post("/api/runs/_bulk", json=wanted)).json()
    assert [item["ok"] for item in answer["items"]] == [True, False]
    rows = await _record(agent, act="change_runs")
    assert {(row["outcome"], row["subjectId"]) for row in rows if row["outcome"] == "done"} == {("done", mine)}
    assert [row["handle"] for row in rows if row["outcome"] == "refused"] == ["bob"]


async def test_only_administrators_read_it_and_only_their_accounts(agent: RunningAgent, people: People) -> None:
    ada = await people.make("ada")
    await a_job(agent, ada)
    async with ada.client(agent) as client:
        assert (await client.get("/api/audit")).status_code == 403
    async with agent.local() as local:
        assert (await local.post("/api/accounts", json={"id": "other"})).status_code == 201
    eve = await people.make("eve", "read", "admin", role="admin", account="other")
    async with eve.client(agent) as client:
        assert (await client.get("/api/audit")).json()["items"] == []


async def test_pages_go_back_and_on(agent: RunningAgent, people: People) -> None:
    ada = await people.make("ada")
    for number in range(5):
        await a_job(agent, ada, f"Job {number}")
    names, before = [], None
    while True:
        async with agent.local() as local:
            answer = await local.get(
                "/api/audit", params={"user": "ada", "limit": 2, **({"before": before} if before else {})}
            )
        page = answer.json()
        names += [row["subjectName"] for row in page["items"]]
        before = page["before"]
        if before is None:
            break
    assert names == [f"Job {number}" for number in reversed(range(5))]
    last = (await _record(agent, user="ada", limit=2))[-1]["number"]
    assert [row["subjectName"] for row in await _record(agent, user="ada", after=last)] == ["Job 4"]


async def test_refusals_cannot_fill_the_disk(agent: RunningAgent) -> None:
    """However many, of however many kinds: a bounded number of rows within a window, and every one is counted."""
    audit, clock = agent.core.audit, agent.clock
    callers = [Caller("default", f"u-{number}", f"m{number}", EVERY_SCOPE, "token", "t-1") for number in range(8)]
    for caller in callers:
        for number in range(2 * MOST_EACH):
            await audit.refused(Acting(caller, f"act_{number}", "x"), "no")
    caller, *_, last = callers
    rows = await _record(agent, outcome="refused", limit=200)
    assert len(rows) <= MOST_ROWS + len(callers)
    for each, most in ((caller, MOST_EACH + 1), (last, 1)):
        own = [row for row in rows if row["handle"] == each.handle]
        assert len(own) == most
        assert sum(row["count"] for row in own) == 2 * MOST_EACH
    clock.advance(WINDOW + timedelta(seconds=1))
    await audit.refused(Acting(caller, "act_0", "x"), "no")
    assert len(await _record(agent, user="m0", act="act_0")) == 2


async def test_old_rows_go_and_of_refusals_all_but_the_newest(agent: RunningAgent) -> None:
    audit, clock, store = agent.core.audit, agent.clock, agent.core.store
    caller = Caller("default", "u-1", "mallory", EVERY_SCOPE, "token", "t-1")
    async with agent.local() as local:
        await local.put("/api/secrets/old", json={"value": "x"})
        clock.advance(timedelta(days=2))
        await local.put("/api/secrets/new", json={"value": "x"})
    for number in range(5):
        await audit.refused(Acting(caller, f"act_{number}", "x"), "no")
    while await store.prune_audit(clock.now() - timedelta(days=1), 2):
        pass
    assert [row["act"] for row in await _record(agent, outcome="refused")] == ["act_4", "act_3"]
    assert [row["subjectId"] for row in await _record(agent, outcome="done")] == ["new"]


async def test_what_nobody_asked_for_is_in_nobodys_record(agent: RunningAgent) -> None:
    """The agent's own writes (a touched token, a heartbeat) are no acts."""
    token = await agent.token("read")
    before = await _record(agent)
    async with agent.tcp(token) as client:
        assert (await client.get("/api/jobs")).status_code == httpx.codes.OK
    assert await _record(agent) == before
