"""What an account may have: said by who administers the agent, held whichever way a job comes in, refused in each
contract's own words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio

from agent.store import STORE_FILE
from agent.store.inspection import inspect_store
from agent.upkeep.checks.limits import check_limits
from shared.ids import new_id
from shared.models import ConnectionInput, KnowledgeBaseInput
from tests.contract.api.people import definition
from tests.contract.api.runs_made import RunMaker
from tests.contract.api.test_kb_sync import AHEAD
from tests.harness.agent import RunningAgent, running_agent

DEFAULTS = {"activeJobs": 1000, "minInterval": "2 minutes"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningAgent]:
    folder = tmp_path_factory.mktemp("limits")
    with sqlite3.connect(folder / "orders.sqlite") as source:
        source.execute("create table orders (id integer primary key, product text, description text, created_at text)")
    settings: dict[str, Any] = {"limits": DEFAULTS, "max_active_jobs": 1, "max_job_duration": "2 days"}
    async with running_agent(folder / "d", requests_per_minute=100_000, **settings) as running:
        yield running


class Account:
    """A fresh account with its administrator's token, a source and a knowledge base."""

    def __init__(self, agent: RunningAgent, name: str, root: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
        self.agent, self.name, self.root, self.client = agent, name, root, client

    async def limit(self, **limits: Any) -> None:
        answer = await self.root.put(f"/api/accounts/{self.name}/limits", json=limits)
        assert answer.status_code == 200, answer.text

    async def create(self, name: str = "Orders", **fields: Any) -> httpx.Response:
        return await self.client.post("/api/jobs", json=definition(name, **fields))

    async def created(self, name: str = "Orders", **fields: Any) -> dict[str, Any]:
        answer = await self.create(name, **fields)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest_asyncio.fixture(loop_scope="module")
async def account(standing: RunningAgent) -> AsyncIterator[Account]:
    name = f"a-{new_id()[-8:]}"
    source = standing.agent.settings.data_dir.parent / "orders.sqlite"
    async with AsyncExitStack() as stack:
        root = await stack.enter_async_context(standing.local())
        token = await standing.token("read", "edit", "run", "delete", "admin", "code", account=name)
        client = await stack.enter_async_context(standing.tcp(token))
        me = await standing.core.gate.by_bearer(token)
        connection = ConnectionInput(name="orders_db", url=f"sqlite:///{source}")
        await standing.core.world.create_connection(me, connection)
        await standing.core.world.create_knowledge_base(me, KnowledgeBaseInput(name="orders_kb"))
        yield Account(standing, name, root, client)


pytestmark = pytest.mark.asyncio(loop_scope="module")
EVERY_MINUTE = {"intervalType": "cron", "interval": "* * * * *"}
SLOWLY = {"intervalType": "cron", "interval": "*/10 * * * *"}


def fault(answer: httpx.Response) -> tuple[int, str, Any]:
    [found] = answer.json()["error"]["faults"]
    return answer.status_code, found["field"], found["value"]


async def by_post(account: Account, schedule: dict[str, Any]) -> httpx.Response:
    return await account.create(**schedule)


async def by_put(account: Account, schedule: dict[str, Any]) -> httpx.Response:
    made = await account.created()
    return await account.client.put(f"/api/jobs/{made['id']}", json=definition(**schedule))


async def by_enabling(account: Account, schedule: dict[str, Any]) -> httpx.Response:
    job = await RunMaker(account.agent, account.name).job("Old", type="api-call", data={"url": "http://a.test/"}, enabled=False, **schedule)  # fmt: skip
    return await account.client.put(f"/api/jobs/{job.id}", json=definition("Old", **schedule))


async def by_restoring(account: Account, schedule: dict[str, Any]) -> httpx.Response:
    job = await RunMaker(account.agent, account.name).job("Old", type="api-call", data={"url": "http://a.test/"}, **schedule)  # fmt: skip
    assert (await account.client.put(f"/api/jobs/{job.id}", json=definition("Old"))).status_code == 200
    return await account.client.post(f"/api/jobs/{job.id}/revisions/1/_restore")


async def by_draft(account: Account, schedule: dict[str, Any]) -> httpx.Response:
    made = await account.created()
    draft = (await account.client.post(f"/api/jobs/{made['id']}/_edit")).json()
    await account.client.put(f"/api/jobs/{draft['id']}", json=definition(**schedule))
    return await account.client.post(f"/api/jobs/{made['id']}/_commit")


WAYS = [by_post, by_put, by_enabling, by_restoring, by_draft]


@pytest.mark.parametrize("way", WAYS)
async def test_the_least_interval_holds_for_every_way_in(
    account: Account, way: Callable[[Account, dict[str, Any]], Awaitable[httpx.Response]]
) -> None:
    answer = await way(account, EVERY_MINUTE)
    assert fault(answer) == (400, "interval", "* * * * *")
    assert "2 minutes" in answer.text
    assert "min_interval" in answer.text


async def test_it_holds_for_definitions_and_connections_too(account: Account) -> None:
    given = {"source": "a.toml", "definition": {"name": "A", "type": "api-call", "data": {"url": "http://a.test/"}, **EVERY_MINUTE}}  # fmt: skip
    applied = (await account.client.post("/api/definitions/_apply", json={"definitions": [given]})).json()
    [change] = applied["items"]
    assert (change["act"], change["faults"][0]["field"]) == ("refused", "interval")
    base = f"/v1/organizations/{account.name}/knowledge/connectors"
    source = (await account.client.get(f"{base}/sources")).json()["data"][0]["source_id"]
    stream = {"table": "orders", "content_columns": ["product"], "filter_column": "id"}
    schedule = {"interval_type": "cron", "interval": "* * * * *", "timezone": "UTC"}
    body = {"name": "B", "source_id": source, "configurations": {"streams": [stream]}, "schedule": schedule}
    refused = await account.client.post(f"{base}/connections", json=body)
    assert refused.status_code == 400, refused.text
    assert "min_interval" in refused.text


async def test_what_is_applied_together_finds_places_together(account: Account) -> None:
    await account.limit(activeJobs=2)
    plain = {"type": "api-call", "data": {"url": "http://a.test/"}}
    given = [{"source": "a.toml", "definition": {"name": name, **plain}} for name in ("A", "B", "C")]
    refused = (await account.client.post("/api/definitions/_apply", json={"definitions": given})).json()["items"]
    assert [each["act"] for each in refused] == ["create", "create", "refused"]
    assert "may have 2 active jobs" in refused[2]["faults"][0]["message"]
    assert (await account.client.get("/api/jobs")).json()["total"] == 0
    applied = await account.client.post("/api/definitions/_apply", json={"definitions": given[:2]})
    assert [each["act"] for each in applied.json()["items"]] == ["create", "create"]


async def test_a_lowered_limit_leaves_what_is_there_and_an_edit_of_something_else_alone(account: Account) -> None:
    made = await account.created(**SLOWLY)
    await account.limit(minInterval="1 hour", maxJobDuration="1 day")
    other = await account.client.put(f"/api/jobs/{made['id']}", json=definition(description="same", **SLOWLY))
    off = await account.client.put(f"/api/jobs/{made['id']}", json=definition(enabled=False, **SLOWLY))
    assert (other.status_code, off.status_code) == (200, 200)
    again = await account.client.put(f"/api/jobs/{made['id']}", json=definition(**SLOWLY))
    assert [each["field"] for each in again.json()["error"]["faults"]] == ["interval", "endOn"]


async def test_doctor_says_which_jobs_go_on_beyond_their_limits(account: Account) -> None:
    await account.created("Too often", **SLOWLY)
    await account.created("Off", enabled=False, **SLOWLY)
    await account.limit(minInterval="1 hour")
    with inspect_store(account.agent.agent.settings.data_dir / STORE_FILE) as store:
        found = [each for each in check_limits(store) if account.name in each.remedy]
    assert [(each.severity, "'Too often'" in each.sentence) for each in found] == [("warning", True)]
    assert "10 minutes apart" in found[0].sentence


async def test_how_long_a_schedule_may_go_on(account: Account) -> None:
    await account.limit(maxJobDuration="7 days")
    within = {"startOn": "2026-03-03T00:00Z", "endOn": "2026-03-10T00:00Z"}
    assert fault(await account.create("open", **SLOWLY)) == (400, "endOn", None)
    beyond = await account.create("long", **SLOWLY, **(within | {"endOn": "2026-03-10T00:00:01Z"}))
    assert fault(beyond) == (400, "endOn", "2026-03-10T00:00:01Z")
    await account.created("exactly", **SLOWLY, **within)
    await account.created("by hand")
    await account.created("once", intervalType="once", interval="2027-01-01T00:00Z")


async def test_a_contracts_limits_stay_with_the_job_whoever_edits_it(account: Account) -> None:
    made = await account.client.post("/jobs/create", json=AHEAD | {"interval": "5 MINUTES"})
    assert made.status_code == 201, made.text
    path = f"/api/jobs/{made.json()['data']['job_id']}"
    read = (await account.client.get(path)).json()
    asked = {name: read[name] for name in ("name", "type", "data", "intervalType", "interval", "startOn", "endOn")}
    longer = await account.client.put(path, json=asked | {"endOn": "2026-04-01T00:00Z"})
    assert (fault(longer)[:2], "2 days" in longer.text) == ((400, "endOn"), True)
    second = await account.client.post("/jobs/create", json=AHEAD | {"job_name": "second", "interval": "5 MINUTES"})
    assert (second.status_code, second.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    close = await account.client.post("/jobs/create", json=AHEAD | {"job_name": "close", "interval": "1 MINUTE"})
    assert close.json()["error"]["details"] == ["interval must be at least 2 minutes"]


async def test_each_contract_says_in_its_own_words_that_there_is_no_place(account: Account) -> None:
    maker = RunMaker(account.agent, account.name)
    made = await account.created(policies={"overlap": "allow"})
    failed = await maker.run(await maker.job("Failed"), "failed")
    await account.limit(activeJobs=2, waitingRuns=1, tokens=1)
    assert (await account.client.post(f"/api/jobs/{made['id']}")).status_code == 202
    native = await account.client.post(f"/api/jobs/{made['id']}")
    job, token = await account.create("third"), await account.client.post("/api/tokens", json={"name": "x", "scopes": ["read"]})  # fmt: skip
    for answer, words in ((native, "waiting runs"), (job, "active jobs"), (token, "tokens")):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], words in error["message"]) == (409, "limit_reached", True)
        assert "retry-after" not in answer.headers
    synced = await account.client.post("/jobs/create", json=AHEAD | {"interval": "5 MINUTES"})
    assert (synced.status_code, synced.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    rerun = await account.client.post(f"/v1/api/jobs/{failed.id}/rerun")
    assert (rerun.status_code, rerun.json()["data"]) == (429, None)
    await account.limit()
    assert (await account.client.post(f"/v1/api/jobs/{failed.id}/rerun")).status_code == 201


async def test_what_is_attached_finds_room_however_many_bring_it_at_once(account: Account) -> None:
    await account.limit(storedBytes="10 kB")
    attached = {"type": "file", "name": "a.bin"}
    asked = {"name": "Mail", "type": "api-call", "actions": [{"type": "email", "attachments": [attached]}]}
    made = (await account.client.post("/api/drafts", json=asked)).json()
    action = made["actions"][0]
    path = f"/api/jobs/{made['id']}/actions/{action['id']}/attachments/{action['attachments'][0]['id']}"
    put = partial(account.client.put, f"{path}/action-attachment-file-contents")
    contents = [bytes([number]) * 4000 for number in range(4)]
    answers = await asyncio.gather(*(put(content=content) for content in contents))
    assert sorted(each.status_code for each in answers) == [200, 200, 409, 409], [each.text for each in answers]
    [refused, _] = [each for each in answers if each.status_code == 409]
    assert refused.json()["error"]["code"] == "limit_reached"
    assert "8.0 kB" in refused.text or "10 kB" in refused.text
    shown = (await account.client.get(f"/api/accounts/{account.name}/limits")).json()
    assert (shown["limits"]["storedBytes"], shown["use"]["storedBytes"]) == ("10 kB", 8000)
    there = next(content for content, each in zip(contents, answers, strict=True) if each.status_code == 200)
    assert (await put(content=there)).status_code == 200  # what is there takes no more room


async def test_limits_are_said_by_who_administers_the_agent_and_seen_by_the_account(account: Account) -> None:
    path = f"/api/accounts/{account.name}/limits"
    own = await account.client.get(path)
    assert own.json()["limits"] == own.json()["own"] | DEFAULTS
    assert own.json()["use"] == {"activeJobs": 0, "waitingRuns": 0, "tokens": 1, "storedBytes": 0, "knowledgeRows": 0}
    assert (await account.client.put(path, json={"activeJobs": 5})).status_code == 403
    assert (await account.client.get("/api/accounts/default/limits")).status_code == 403
    for body in ({"activeJobs": -1}, {"minInterval": "soon"}, {"minInterval": "0 s"}, {"jobs": 5}):
        refused = await account.root.put(path, json=body)
        assert (refused.status_code, refused.json()["error"]["faults"][0]["field"]) == (400, next(iter(body)))
    assert (await account.root.put("/api/accounts/nobody/limits", json={})).status_code == 404
