"""Actions and their attachments over the API: of jobs, where each change is a revision, and of drafts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from agent.core.records import Fence, Outcome
from tests.harness.agent import NOW, RunningAgent, running_agent

pytestmark = pytest.mark.asyncio(loop_scope="module")
SMTP = {"host": "mail.example.net", "from": "jobs@example.net"}
MAIL = {"to": "a@example.org", "subject": "{{ job.name }}", "text": "{{ results.main.exit_code }} ok"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path_factory.mktemp("a") / "d", smtp=SMTP, max_attachment_bytes=100_000) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.local() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def job(client: httpx.AsyncClient, request: pytest.FixtureRequest) -> str:
    return await made(client, request.node.name)


async def made(client: httpx.AsyncClient, name: str, **fields: Any) -> str:
    definition = {"name": name[:150], "type": "command", "data": {"command": ["true"]}, **fields}
    answer = await client.post("/api/jobs", json=definition)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def add(client: httpx.AsyncClient, job: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/jobs/{job}/actions", json={"type": "email", "data": MAIL, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {fault["field"]: fault["message"] for fault in answer.json()["error"]["faults"]}


async def test_many_changes_at_once_are_all_made(client: httpx.AsyncClient, job: str) -> None:
    names = [f"a{number}" for number in range(12)]
    await asyncio.gather(*(add(client, job, id=name) for name in names))
    whole = (await client.get(f"/api/jobs/{job}")).json()
    assert ({each["id"] for each in whole["actions"]}, whole["revision"]) == (set(names), 13)


async def test_actions_are_added_read_changed_ordered_and_removed(client: httpx.AsyncClient, job: str) -> None:
    one = await add(client, job, name="Tell")
    two = await add(
        client, job, id="hook", type="webhook", data={"url": "https://example.org/"}, condition='ok("Tell")'
    )
    path = f"/api/jobs/{job}/actions"
    assert one["_links"]["self"]["href"] == f"{path}/{one['id']}"
    listed = (await client.get(path)).json()
    assert [each["id"] for each in listed["_embedded"]["inf:job-action"]] == [one["id"], "hook"]
    assert listed["total"] == 2
    changed = await client.put(f"{path}/hook", json={**two, "name": "Call", "condition": None})
    assert changed.status_code == 200, changed.text
    assert (await client.get(f"{path}/hook")).json()["name"] == "Call"
    ordered = await client.put(path, json=["hook", one["id"]])
    assert [each["id"] for each in ordered.json()["_embedded"]["inf:job-action"]] == ["hook", one["id"]]
    whole = (await client.get(f"/api/jobs/{job}")).json()
    assert [each["id"] for each in whole["actions"]] == ["hook", one["id"]]
    assert whole["revision"] == 5, "each change is a revision"
    assert (await client.delete(f"{path}/hook")).status_code == 204
    assert (await client.get(f"{path}/hook")).status_code == 404
    assert (await client.put(path, json=[])).json()["total"] == 0


async def test_a_draft_has_actions_of_its_own(client: httpx.AsyncClient, job: str) -> None:
    draft = (await client.post(f"/api/jobs/{job}/_edit")).json()["id"]
    action = await add(client, draft, name="Tell")
    attached = await client.post(
        f"/api/jobs/{draft}/actions/{action['id']}/attachments", json={"type": "log", "name": "log.txt"}
    )
    assert attached.status_code == 201, attached.text
    assert (await client.get(f"/api/jobs/{job}/actions")).json()["total"] == 0
    assert (await client.post(f"/api/jobs/{job}/_commit")).status_code in (200, 201)
    published = (await client.get(f"/api/jobs/{job}/actions")).json()["_embedded"]["inf:job-action"]
    assert published[0]["id"] == action["id"]
    assert published[0]["attachments"][0]["id"] == attached.json()["id"]


REFUSED = [
    ({"type": "nothing"}, "actions.0.type", "there is no job type 'nothing'; there are"),
    ({"type": "library"}, "actions.0.type", "webhook"),
    ({"id": "main"}, "actions.0.id", "own driver"),
    ({"name": "a\nb"}, "name", "pattern"),
    ({"name": " "}, "name", "at least 1"),
    ({"condition": "results.main"}, "actions.0.condition", '["main"]'),
    ({"condition": 'ok("later")'}, "actions.0.condition", "no step before it; there are main"),
    ({"condition": "9**9**9"}, "actions.0.condition", "Pow"),
    ({"data": {**MAIL, "to": "x"}}, "actions.0.data.to.0", "no mail address"),
    ({"data": {**MAIL, "text": "{{ a"}}, "actions.0.data.text", "end of"),
    ({"data": {**MAIL, "text": "{% for a in b %}"}}, "actions.0.data.text", "line 1"),
    ({"type": "webhook", "data": {"url": "x"}}, "actions.0.data.url", "http or https"),
    ({"type": "webhook", "data": {"url": "https://a.example", "headers": {"A": {"secret": "none"}}}}, "actions.0.data", "no secret 'none'"),
    ({"type": "kb-sync", "data": {"source_table": "no.where", "knowledge_base": "kb", "content_columns": ["a"], "filter_column": "b"}}, "actions.0.data.source_table", "no connection"),
    ({"type": "command", "data": {"command": ["true"]}, "attachments": [{"type": "log", "name": "l"}]}, "actions.0.attachments", "takes none"),
    ({"attachments": [{"type": "picture", "name": "l"}]}, "actions.0.attachments.0.type", "there are file, log, result, dataset"),
    ({"attachments": [{"type": "dataset", "name": "l", "data": {"dataset": "orders"}}]}, "actions.0.attachments.0.data.dataset", "none yet"),
    ({"attachments": [{"type": "log", "name": "../l"}]}, "actions.0.attachments.0.name", "without a folder"),
    ({"attachments": [{"type": "log", "name": "l"}, {"type": "log", "name": "L"}]}, "actions.0.attachments.1.name", "has that name"),
    ({"attachments": [{"type": "log", "name": "l", "data": {"lines": 0}}]}, "actions.0.attachments.0.data.lines", "greater than"),
    ({"attachments": [{"type": "file", "name": "l", "data": {"file": {"blob": "0" * 64, "size": 1}}}]}, "actions.0.attachments.0.data.file", "upload it anew"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "field", "words"), REFUSED, ids=range(len(REFUSED)))
async def test_what_cannot_work_is_refused_at_its_place(
    client: httpx.AsyncClient, job: str, action: dict[str, Any], field: str, words: str
) -> None:
    answer = await client.post(f"/api/jobs/{job}/actions", json={"type": "email", "data": MAIL, **action})
    found = faults(answer)
    assert words in found[field], found
    assert (await client.get(f"/api/jobs/{job}")).json()["revision"] == 1


async def test_a_webhook_is_no_job(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/jobs", json={"name": "x", "type": "webhook", "data": {"url": "https://a.example"}})
    assert "action of a job" in faults(answer)["type"]


async def test_orders_that_lose_or_invent_an_action_are_refused(client: httpx.AsyncClient, job: str) -> None:
    one = (await add(client, job))["id"]
    path = f"/api/jobs/{job}/actions"
    for ids in ([one, one], [one, "other"], ["other"]):
        assert one in faults(await client.put(path, json=ids))["body"]
    assert "not of both" in faults(await client.put(path, json=[one, {"type": "email", "data": MAIL}]))["body"]
    assert (await client.post(path, json={"type": "email", "data": MAIL, "id": one})).status_code == 409
    stale = await client.put(path, json=[one], headers={"If-Match": '"1"'})
    assert stale.status_code == 409


async def test_a_command_in_an_action_needs_the_scope_code(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    job = await made(client, "guarded", type="api-call", data={"url": "https://a.example"})
    command = {"type": "command", "data": {"command": ["true"]}}
    async with agent.tcp(await agent.token("read", "edit", "admin")) as other:
        refused = await other.post(f"/api/jobs/{job}/actions", json=command)
        assert refused.status_code == 403, refused.text
        assert "code" in refused.text
        action = await add(client, job, **command)
        for answer in (
            await other.put(f"/api/jobs/{job}/actions", json=[]),
            await other.delete(f"/api/jobs/{job}/actions/{action['id']}"),
        ):
            assert answer.status_code == 403, "whoever may not make one may not change one"


async def test_readers_change_nothing(agent: RunningAgent, client: httpx.AsyncClient, job: str) -> None:
    action = await add(client, job)
    path = f"/api/jobs/{job}/actions/{action['id']}"
    async with agent.tcp(await agent.token("read", "admin")) as reader:
        assert (await reader.get(path)).status_code == 200
        for method, place, body in (
            ("DELETE", path, None), ("PUT", path, MAIL), ("POST", f"{path}/attachments", {"type": "log", "name": "l"}),
        ):  # fmt: skip
            assert (await reader.request(method, place, json=body)).status_code == 403
    async with agent.tcp(await agent.token("read", "edit")) as stranger:
        assert (await stranger.get(path)).status_code in (200, 403, 404)


async def attached(client: httpx.AsyncClient, job: str, **fields: Any) -> str:
    """The path of a new attachment."""
    action = await add(client, job)
    path = f"/api/jobs/{job}/actions/{action['id']}/attachments"
    answer = await client.post(path, json={"type": "file", "name": "report.html", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["_links"]["self"]["href"])


async def test_contents_are_uploaded_and_come_back_as_they_were(
    agent: RunningAgent, client: httpx.AsyncClient, job: str
) -> None:
    path = await attached(client, job, name="bericht ä.html")
    content = f"{path}/action-attachment-file-contents"
    assert (await client.get(content)).status_code == 404
    given = b"<script>" + bytes(range(256)) * 20
    put = await client.put(content, content=given, headers={"Content-Type": "text/html"})
    assert put.status_code == 200, put.text
    assert put.json()["data"]["file"]["size"] == len(given)
    got = await client.get(content)
    assert got.content == given
    assert got.headers["content-type"].startswith("text/html")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''bericht%20%C3%A4.html"
    assert got.headers["content-security-policy"] == "sandbox"
    assert got.headers["x-content-type-options"] == "nosniff"
    renamed = await client.put(path, json={"type": "file", "name": "other.html"})
    assert renamed.json()["data"] == put.json()["data"], "what was uploaded stays"
    assert (await client.get(content)).content == given
    blobs = [each for each in (agent.agent.settings.data_dir / "blobs").rglob("*") if each.is_file()]
    assert all(each.stat().st_mode & 0o077 == 0 for each in blobs), "nobody else reads them"
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(content)).status_code == 404


async def test_an_upload_leaves_alone_what_was_changed_while_it_came(client: httpx.AsyncClient, job: str) -> None:
    path = await attached(client, job)
    renamed: list[int] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield b"first "
        renamed.append((await client.put(path, json={"type": "file", "name": "new.html"})).status_code)
        yield b"second"

    put = await client.put(f"{path}/action-attachment-file-contents", content=slowly())
    assert (renamed, put.status_code, put.json()["name"]) == ([200], 200, "new.html")
    assert (await client.get(path)).json()["data"]["file"]["size"] == len(b"first second")


async def test_too_much_content_leaves_nothing(agent: RunningAgent, client: httpx.AsyncClient, job: str) -> None:
    path = f"{await attached(client, job)}/action-attachment-file-contents"
    folder = agent.agent.settings.data_dir / "blobs"
    before = sorted(folder.rglob("*"))
    answer = await client.put(path, content=b"x" * 100_001)
    assert answer.status_code == 413, answer.text
    packed = await client.put(path, content=b"x", headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415, packed.text
    assert sorted(folder.rglob("*")) == before
    wrong = await client.put(path, content=b"x", headers={"Content-Type": "text"})
    assert wrong.status_code == 400


async def test_only_files_have_contents(client: httpx.AsyncClient, job: str) -> None:
    path = await attached(client, job, type="log")
    assert (await client.put(f"{path}/action-attachment-file-contents", content=b"x")).status_code == 409


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a\\b", "/etc/passwd", "..", ".", "a\r\nB: c", "a\nb", "a\tb", "x\u202egpj.exe", "\u200b", 'a"b', "C:x", "ä" * 150],
    ids=range(14),
)  # fmt: skip
async def test_names_that_are_no_plain_file_names_are_refused(client: httpx.AsyncClient, job: str, name: str) -> None:
    """In drafts as well, which are not checked before they are published."""
    draft = (await client.post(f"/api/jobs/{job}/_edit")).json()["id"]
    action = await add(client, draft)
    answer = await client.post(
        f"/api/jobs/{draft}/actions/{action['id']}/attachments", json={"type": "log", "name": name}
    )
    assert "name" in faults(answer)


async def test_a_preview_tells_and_does_nothing(agent: RunningAgent, client: httpx.AsyncClient, job: str) -> None:
    mail = await add(client, job, name="Tell", condition='results["main"]["exit_code"] == 0')
    path = f"/api/jobs/{job}/actions"
    before = (await client.post(f"{path}/{mail['id']}/_preview")).json()
    assert before["basedOnRunId"] is None
    assert before["holds"] is None
    assert "there is no 'main' in the results" in before["problem"]
    attachments = [{"type": "log", "name": "log.txt"}, {"type": "result", "name": "main.json"}]
    for each in attachments:
        assert (await client.post(f"{path}/{mail['id']}/attachments", json=each)).status_code == 201
    data = {
        "url": "https://hooks.example.org/x",
        "headers": {"Authorization": {"secret": "token", "prefix": "Bearer "}},
        "json": {"text": "{{ states.Tell }}: {{ results.main.exit_code }}"},
    }
    assert (await client.put("/api/secrets/token", json={"value": "hush-hush"})).status_code in (200, 201, 204)
    await add(client, job, id="hook", type="webhook", data=data)
    run = await ran(agent, job, {"exit_code": 0, "actions": [{"id": mail["id"], "state": "completed", "result": {}}]})
    shown = (await client.post(f"{path}/{mail['id']}/_preview")).json()
    assert shown["problem"] is None, shown
    assert (shown["holds"], shown["basedOnRunId"]) == (True, run)
    would = shown["would"]
    assert (would["to"], would["from"], would["text"]) == (["a@example.org"], "jobs@example.net", "0 ok")
    assert [each["name"] for each in would["attachments"]] == ["log.txt", "main.json"]
    assert would["message_id"] == f"<{run}.{mail['id']}@example.net>"
    called = (await client.post(f"{path}/hook/_preview")).json()
    assert called["would"]["body"] == '{"text":"completed: 0"}', called
    assert called["would"]["headers"]["authorization"] == "Bearer <secret token>"
    assert "hush" not in str(called)


async def test_a_preview_of_a_mail_with_a_dataset_names_it(client: httpx.AsyncClient, job: str) -> None:
    draft = (await client.post(f"/api/jobs/{job}/_edit")).json()["id"]
    path = f"/api/jobs/{draft}/actions/{(await add(client, draft, data={**MAIL, 'text': 'x'}))['id']}"
    given = {"type": "dataset", "name": "orders.csv", "data": {"dataset": "orders"}}
    assert (await client.post(f"{path}/attachments", json=given)).status_code == 201
    shown = (await client.post(f"{path}/_preview")).json()
    assert shown["would"]["attachments"] == [{"name": "orders.csv", "type": "dataset", "bytes": None}], shown
    refused = await client.post(f"/api/jobs/{draft}/_commit")
    assert "no dataset with that alias" in str(faults(refused))


async def test_a_preview_of_a_call_is_its_request(client: httpx.AsyncClient, job: str) -> None:
    data = {"url": "https://a.example/x", "query": {"a": ["1", "2"]}, "method": "PUT", "text": "t"}
    action = await add(client, job, type="api-call", data=data)
    shown = (await client.post(f"/api/jobs/{job}/actions/{action['id']}/_preview")).json()["would"]
    assert (shown["method"], shown["url"], shown["body"]) == ("PUT", "https://a.example/x?a=1&a=2", "t")


async def ran(agent: RunningAgent, job: str, result: dict[str, Any]) -> str:
    """A run of the job that ended with this result."""
    caller = agent.core.gate.local()
    run = await agent.core.jobs.run_now(caller, job)
    (claimed,) = await agent.agent.sql.claim(["w"], "test", NOW.replace(year=2100), NOW)
    fence = Fence(run.id, claimed.run.attempt, "w")
    await agent.agent.sql.finish([Outcome(fence, "completed", NOW, result=result)], NOW)
    return str(run.id)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ 'a' * 10**9 }}", "MiB"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "it takes"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ missing }}", "undefined"),
    ],
)
async def test_a_preview_comes_to_no_harm(client: httpx.AsyncClient, job: str, text: str, words: str) -> None:
    action = await add(client, job, data={**MAIL, "text": text})
    shown = (await client.post(f"/api/jobs/{job}/actions/{action['id']}/_preview")).json()
    assert shown["would"] is None
    assert words in shown["problem"]


async def test_a_type_without_a_preview_shows_its_parameters(
    client: httpx.AsyncClient, job: str, tmp_path: Path
) -> None:
    command = ["touch", str(tmp_path / "never")]
    action = await add(client, job, type="command", data={"command": command})
    shown = (await client.post(f"/api/jobs/{job}/actions/{action['id']}/_preview")).json()
    assert shown["would"] == {"data": {"command": command}}
    assert is_empty(tmp_path)


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())
