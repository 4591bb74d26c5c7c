"""Nobody gets through a job at what is not shared with them, and what was tried is in the record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio

from agent.core.actions.planning import needs_of_all
from agent.core.permissions.audit import WINDOW
from agent.core.permissions.callers import EVERY_SCOPE, Caller
from agent.core.permissions.overreach import FOREIGN, WITHHELD
from agent.core.permissions.rules import ResourceKind
from agent.core.records import AuditQuery
from agent.core.world.using import Users
from shared.models import JobInput
from shared.models.audit import AuditEntry
from shared.models.share import ShareInput
from tests.contract.api.attempt_table import ASKING, ATTEMPTS, JOBS, PLACES, WAYS, Attempt, keys_of
from tests.contract.api.people import definition
from tests.contract.api.permission_requests import CONNECTORS
from tests.contract.api.scene import MARK, Scene
from tests.harness.agent import running_agent

NO_SUCH = "no-such-thing"
_SETTINGS: dict[str, Any] = {
    "requests_per_minute": 10_000_000,
    "smtp": {"host": "mail.example.net", "from": "jobs@example.net"},
}
_numbers = count(1)


@dataclass
class Stage:
    scene: Scene
    lines: dict[str, httpx.AsyncClient]

    async def ask(self, role: str, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.lines[role].request(method, path, json=body)

    async def refusals(self, role: str, after: int) -> list[AuditEntry]:
        """Which the record has of that one since then."""
        account = "other" if role == "other" else "default"
        store = self.scene.agent.core.store
        await self.scene.agent.core.audit.flush()
        query = AuditQuery(user=self.scene.people[role].id, outcome="refused", after=after, limit=200)
        return list(await store.list_audit(account, query))

    async def newest(self) -> int:
        store = self.scene.agent.core.store
        found = [(await store.list_audit(account, AuditQuery(limit=1)))[:1] for account in ("default", "other")]
        return max([entry.number for each in found for entry in each], default=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("attempts")
    async with running_agent(folder / "d", **_SETTINGS) as agent, AsyncExitStack() as stack:
        scene = await Scene.set_up(agent, folder)
        lines = {role: await stack.enter_async_context(scene.client(role)) for role in ASKING}
        for role in ("admin", "other"):  # what all of an account may use, for ways that name something besides
            for path, body in (
                ("/api/knowledge-bases", {"name": "own_base"}),
                ("/api/datasets", {"name": "own_data"}),
                ("/api/connections", {"name": "own_source", "url": scene.source_url}),
            ):
                assert (await lines[role].post(path, json=body)).status_code == 201
        everyone = {"principalId": "everyone", "accessLevel": "editor"}
        for path in ("/api/knowledge-bases/own_base", "/api/datasets/own_data"):
            assert (await lines["admin"].post(f"{path}/shares", json=everyone)).status_code == 201
        yield Stage(scene, lines)


def _body(attempt: Attempt, key: str) -> dict[str, Any]:
    return WAYS[attempt.way](f"attempt {next(_numbers)}".replace(" ", "-"), key)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt.thing} by {attempt.way}")
async def test_each_gets_at_what_the_table_says(stage: Stage, attempt: Attempt) -> None:
    path = PLACES.get(attempt.way, JOBS)
    for place, key in enumerate(keys_of(stage.scene, attempt.thing)):
        found = {}
        for role in ASKING if place == 0 else ("other", "stranger", "reader"):
            before = await stage.newest()
            stage.scene.agent.clock.advance(WINDOW)  # each refusal is a row of its own
            answer = await stage.ask(role, "POST", path, _body(attempt, key))
            said = answer.text
            found[role] = _cell(answer)
            if role == "stranger" and place == 0:
                absent = await stage.ask(role, "POST", path, _body(attempt, NO_SUCH))
                assert _words(said, key) == _words(absent.text, NO_SUCH), "it tells what is from what is not"
                assert MARK not in said.replace(key, ""), said
            if found[role] != "yes" and (role != "other" or place == 1):  # by a name of ours it names nothing of theirs
                [row] = await stage.refusals(role, before)
                assert found[role] != "none" or (FOREIGN if role == "other" else WITHHELD) in str(row.reason)
        assert found == {role: attempt.cells[role] for role in found}, said


def _cell(answer: httpx.Response) -> str:
    if answer.status_code == 201:
        return "yes"
    said: str = answer.json()["error"]["message"]
    if answer.status_code == 403 or "must be shared with you as" in said or "must share it" in said:
        return said.rpartition(" as ")[2]
    assert answer.status_code == 400, answer.text
    assert "there is no" in said, said
    return "none"


def _words(text: str, key: str) -> str:
    return text.replace(key, "KEY")


@pytest.mark.asyncio(loop_scope="module")
async def test_no_door_is_another_way_in(stage: Stage) -> None:
    """Whichever way a definition comes in, what it names is asked for."""
    scene = stage.scene
    stranger = stage.lines["stranger"]
    theft = {"url": "https://example.com/", "headers": {"X-Key": {"secret": scene.values["secrets.name"]}}}
    own = (await stranger.post(JOBS, json=definition("Mine"))).json()["id"]
    stolen = definition("Mine", data=theft)
    draft = (await stranger.post(f"{JOBS}/{own}/_edit")).json()["id"]
    assert (await stranger.put(f"{JOBS}/{draft}", json=stolen)).is_success, (
        "a draft is only looked at when it is checked"
    )
    step = {"type": "webhook", "data": theft}
    synced = {
        "job_name": "Theirs", "source_table": f"{scene.values['connection_name']}.orders", "kb_name": "own_base",
        "content_columns": ["product"], "filter_column": "at", "interval": "1 HOUR",
        "start_time": "2026-03-02T13:00:00Z", "end_time": "2026-03-09T13:00:00Z",
    }  # fmt: skip
    streams = [{"table": "orders", "content_columns": ["product"], "filter_column": "at"}]
    connector = {"name": "theirs", "source_id": scene.values["connections.key"], "configurations": {"streams": streams}}
    base = CONNECTORS.replace("{organization_id}", "default")
    for method, path, body in (
        ("PUT", f"{JOBS}/{own}", stolen),
        ("POST", f"{JOBS}/{own}/_commit", {}),
        ("POST", f"{JOBS}/{own}/actions", step),
        ("POST", f"{JOBS}/{own}/datasets", {"alias": "d", "datasetId": scene.values["datasets.key"]}),
        ("PUT", "/api/datasets/mine", {"name": "mine", "connection": scene.values["connection_name"], "query": "select 1"}),
        ("POST", "/jobs/create", synced),
        ("POST", f"{base}/connections", connector),
    ):  # fmt: skip
        if path == "/api/datasets/mine":
            assert (await stranger.post("/api/datasets", json={"name": "mine"})).status_code == 201
        scene.agent.clock.advance(WINDOW)
        before = await stage.newest()
        answer = await stage.ask("stranger", method, path, body)
        assert answer.status_code in {400, 404, 422}, (path, answer.text)
        assert await stage.refusals("stranger", before), path
    given = {"definitions": [{"definition": definition("By apply", data=theft)}]}
    for act in ("plan", "apply"):
        scene.agent.clock.advance(WINDOW)
        before = await stage.newest()
        answer = await stage.ask("stranger", "POST", f"/api/definitions/_{act}", given)
        assert answer.json()["items"][0]["act"] == "refused"
        [row] = await stage.refusals("stranger", before)
        assert (row.act, WITHHELD in str(row.reason)) == (f"{act}_definitions", True)
    for path, body in ((f"{JOBS}/_check", stolen), (f"{JOBS}/{own}/_check", None)):
        scene.agent.clock.advance(WINDOW)
        before = await stage.newest()
        answer = await stage.ask("stranger", "POST", path, body)
        assert (answer.status_code, len(answer.json()["faults"])) == (200, 1)
        assert await stage.refusals("stranger", before), path
    jobs = (await stranger.get(f"{JOBS}-list")).json()
    assert [job["name"] for job in jobs] == ["Mine"]


@pytest.mark.asyncio(loop_scope="module")
async def test_no_refusal_names_what_is_hidden(stage: Stage) -> None:
    """Neither that a secret opens something, nor what is left to whom a dataset belongs whose connection is gone."""
    admin, stranger = stage.lines["admin"], stage.lines["stranger"]
    private = {"visibility": "private"}
    hushed = {"name": f"{MARK}-0", "url": "postgresql://u@127.0.0.1/db", "secretName": "hushed"}
    assert (await admin.put("/api/secrets/hushed", json={"value": "x", **private})).is_success
    for given in (hushed, {"name": "gone", "url": stage.scene.source_url}):
        assert (await admin.post("/api/connections", json=given)).status_code == 201
    assert (await admin.put(f"/api/connections/{MARK}-0/visibility", json=private)).is_success
    said = [
        (await stranger.post(JOBS, json=WAYS["header"]("hush", name))).text.replace(name, "NAME")
        for name in ("hushed", "nowhere")
    ]
    assert said[0] == said[1]
    over = {"name": "over", "connection": "gone", "query": "select 1"}
    assert (await admin.post("/api/datasets", json=over)).status_code == 201
    assert (await admin.delete("/api/connections/gone")).is_success
    refused = await stranger.post(JOBS, json=WAYS["refresh"]("over-it", "over"))
    assert refused.status_code == 400
    assert "there is no connection 'gone'" in refused.text
    assert MARK not in refused.text


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("thing", ["secret", "connection", "dataset", "knowledge_base"])
async def test_what_is_taken_back_opens_no_run(stage: Stage, thing: ResourceKind) -> None:
    """The owner of a job is asked for again at each run: what it may not use any more, its runs may not."""
    scene, core = stage.scene, stage.scene.agent.core
    attempt = next(each for each in ATTEMPTS if each.thing == thing and each.way != "query")
    key = keys_of(scene, thing)[-1]
    given = _body(attempt, key)
    assert (await stage.ask("runner", "POST", JOBS, given)).status_code == 201
    needs = needs_of_all(core.drivers, JobInput.model_validate(given))
    runner = scene.people["runner"].id
    users = Users(owner_id=runner)
    _, faults = await core.world._granting.grant("default", needs, users)
    assert faults == []
    owner = Caller("default", scene.people["owner"].id, "owner", EVERY_SCOPE, "token")
    await core.shares.remove(owner, thing, key, runner)
    _, faults = await core.world._granting.grant("default", needs, users)
    assert [fault.code for fault in faults] == ["not_permitted"]
    await core.shares.put(owner, thing, key, ShareInput(principal_id=runner, access_level="runner"))
