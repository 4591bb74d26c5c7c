"""`webhook` against a real HTTP server on loopback, in a real worker; what it shares with `api-call` is tried there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.wire import ActionOrder, Ended
from agent.drivers.webhook.manifest import MANIFEST
from agent.drivers.webhook.parameters import WebhookParameters
from agent.drivers.webhook.run import check
from shared.errors import InvalidInput
from tests.acceptance.workers.stage import Stage
from tests.harness.http_server import HttpServer, http_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


async def post(stage: Stage, server: HttpServer, folder: Path, data: dict[str, Any], **fields: Any) -> Ended:
    """As the action `hook`, after a driver that brought two rows."""
    given = {"url": server.url("/hook"), **data}
    hook = ActionOrder(id="hook", name="Tell", type="webhook", entry=MANIFEST.entry, data=given)
    main = {"file": str(folder / "notes"), "name": "main", "result": {"rows": 2, "text": 'a "b"'}}
    fields = {"allow_private_addresses": ["127.0.0.0/8"], "run_id": "r", "job_name": "Nightly", **fields}
    stage.endings.clear()
    return await stage.run("jobdeck_step_drivers:note", main, actions=[hook], **fields)


async def test_texts_of_the_body_are_templates(stage: Stage, server: HttpServer, tmp_path: Path) -> None:
    data = {
        "json": {
            "text": "{{ job.name }}: {{ results.main.rows }} rows, {{ states.main }}",
            "list": ["{{ params.who }}", 7, None, {"deep": "{{ results.main.text }}"}],
            "plain": "as it is",
        },
        "params": {"who": "them"},
        "headers": {"X-Key": {"secret": "key"}},
    }
    assert MANIFEST.needs(WebhookParameters.model_validate({"url": "https://a.example", **data})).secrets == ("key",)
    ended = await post(stage, server, tmp_path, data, secrets={"key": "hush"})
    assert ended.outcome == "completed", ended
    (seen,) = server.seen
    assert json.loads(seen.body) == {
        "text": "Nightly: 2 rows, completed",
        "list": ["them", 7, None, {"deep": 'a "b"'}],
        "plain": "as it is",
    }
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["idempotency-key"] == "r.hook"
    assert seen.headers["x-key"] == "hush"


async def test_without_a_body_it_tells_of_the_run(stage: Stage, server: HttpServer, tmp_path: Path) -> None:
    assert (await post(stage, server, tmp_path, {})).outcome == "completed"
    told = json.loads(server.seen[0].body)
    assert told["job"] == {"id": "j", "name": "Nightly"}
    assert told["results"]["main"]["rows"] == 2
    assert told["states"] == {"main": "completed"}


async def test_a_text_goes_out_as_text(stage: Stage, server: HttpServer, tmp_path: Path) -> None:
    assert (await post(stage, server, tmp_path, {"text": "{{ results.main.rows }} größer"})).outcome == "completed"
    assert server.seen[0].body.decode() == "2 größer"
    assert server.seen[0].headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ({"json": {"a": ["{{ missing }}"]}}, "Tell.template", "json.a.0: 'missing' is undefined"),
        ({"text": "{{ 'a' * 10**9 }}"}, "Tell.template", "MiB"),
        ({"expect": {"status": [204]}}, "Tell.http_status", "expected 204"),
        ({"url": "http://10.0.0.1/"}, "Tell.address_refused", "not a public address"),
    ],
)
async def test_what_goes_wrong_is_said(
    stage: Stage, server: HttpServer, tmp_path: Path, data: dict[str, Any], kind: str, words: str
) -> None:
    ended = await post(stage, server, tmp_path, data)
    assert ended.error is not None, ended
    assert ended.error.kind == kind
    assert words in ended.error.message


async def test_a_template_that_cannot_be_read_is_refused_at_its_place() -> None:
    parameters = WebhookParameters.model_validate({"url": "https://a.example", "json": {"a": [{"b": "{{ x"}]}})
    with pytest.raises(InvalidInput) as refused:
        check(parameters, {}, {})
    assert refused.value.faults[0].field == "data.json.a.0.b"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"json": {}, "text": ""}, "not both"),
        ({"text": "x" * 200_001}, "characters long"),
        ({"json": {"a": "x" * 200_001}}, "json.a is"),
        ({"method": "GET"}, "method"),
        ({"query": {}}, "query"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(data: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        WebhookParameters.model_validate({"url": "https://a.example", **data})
    assert words in str(refused.value)
