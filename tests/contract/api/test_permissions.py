"""No cell of the permission table is open that should be closed: every route, asked by everybody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from agent.core.records import AuditQuery
from tests.contract.api.people import EVERYTHING, People, Person
from tests.contract.api.permission_requests import BODIES, CONNECTORS, DRAFTED, PLACES, QUERIES, kinds_of
from tests.contract.api.permission_table import ROWS, Row
from tests.contract.api.scene import MARK, ROLES, Scene
from tests.harness.agent import RunningAgent, running_agent

REFUSED = {401, 403, 404}
_SETTINGS: dict[str, Any] = {
    "requests_per_minute": 10_000_000,
    "smtp": {"host": "mail.example.net", "from": "jobs@example.net"},
    "issuers": [{"issuer": "https://login.test/", "audience": "jobdeck", "jwks_file": "/nowhere/jwks.json"}],
}
OUTSIDE = {"nobody", "other", "stranger"}
_HOW = (
    "Every route has a row in tests/contract/api/permission_table.py: put this one into the section of its module "
    "(a new module gets a section), and say what each of the columns gets: `yes`, or the status of its refusal. "
    "What stands for a new parameter in its path is made in tests/contract/api/scene.py; what is sent with it stands "
    "in BODIES of permission_requests.py."
)
_ADDING = {"/api/jobs", "/api/drafts", "/api/datasets", "/api/connections", "/api/knowledge-bases", "/jobs/create"} | {
    f"{CONNECTORS}/{place}" for place in ("connections", "sources")
}
"""What is made there leaves what the scene has as it is."""
_STREAMS = {"/api/events", "/api/runs/{run_id}/log/follow"}


def _id(row: Row) -> str:
    return f"{row.method} {row.path}"


class Cast:
    """The scene, and an open line for everybody in it."""

    def __init__(self, scene: Scene, lines: dict[str, httpx.AsyncClient]) -> None:
        self.scene = scene
        self.lines = lines
        self.said = ""
        """What was sent last: an answer may repeat it."""

    async def ask(self, role: str, row: Row) -> httpx.Response:
        if row.operation in DRAFTED:
            await self.lines[role].post(self.scene.path("/api/jobs/{job_id}/_edit"))
        make = BODIES.get(row.operation)
        body = make(self.scene) if make is not None else None
        sent = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        method = "HEAD" if row.path in _STREAMS else row.method
        path = f"{self.scene.path(row.path, PLACES.get(row.operation))}?{QUERIES.get(row.operation, '')}"
        self.said = f"{path} {body!r}"
        answer = await self.lines[role].request(method, path, **sent)
        self.lines[role].cookies.clear()  # who logs in does not stay
        return answer

    async def clear_up(self, row: Row, answer: httpx.Response) -> None:
        """What an act may have changed is made anew before the next one asks."""
        if row.method != "GET" and answer.is_success and row.path not in _ADDING:
            for kind in kinds_of(row.path):
                await self.scene.renew(kind)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cast(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    folder = tmp_path_factory.mktemp("permissions")
    async with running_agent(folder / "d", **_SETTINGS) as agent, AsyncExitStack() as stack:
        scene = await Scene.set_up(agent, folder)
        lines = {role: await stack.enter_async_context(scene.client(role)) for role in ROLES}
        for scope in (*EVERYTHING, "admin"):
            lacking = await _lacking(agent, scene, scope)
            lines[f"without {scope}"] = await stack.enter_async_context(agent.tcp(lacking.token))
        lines["local"] = await stack.enter_async_context(agent.local())
        yield Cast(scene, lines)


async def _lacking(agent: RunningAgent, scene: Scene, scope: str) -> Person:
    others = [each for each in (*EVERYTHING, "admin") if each != scope]
    return await People(agent).known("admin", scene.people["admin"].id, *others)


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_has_its_row_and_every_row_its_route(cast: Cast) -> None:
    there = set(_operations(cast.scene.agent))
    listed = {row.operation for row in ROWS}
    assert not there - listed, f"no row for {sorted(there - listed)}. {_HOW}"
    assert not listed - there, f"no route any more for {sorted(listed - there)}: take the rows out of the table"
    assert len(listed) == len(ROWS), "a route has two rows"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", ROWS, ids=_id)
async def test_each_gets_what_the_table_says(cast: Cast, row: Row) -> None:
    """And nothing can be done that does not appear: an act that succeeds is in the record, under its operation's name."""
    found = {}
    for role in ROLES:
        is_recorded = row.acts and role in {"owner", "admin"}
        before = await _newest(cast) if is_recorded else 0
        answer = await cast.ask(role, row)
        found[role] = _cell(answer, row.cells[role])
        if role in OUTSIDE:
            assert not _names(answer.text) - _names(cast.said), f"{role} reads what is not for {role}: {answer.text}"
        if role in {"owner", "admin"} and found[role] == "yes" and row.path != "/readyz":  # the agent is idle here
            assert answer.is_success, f"{role} may, but {answer.status_code}: {answer.text}; see BODIES"
        if is_recorded and answer.is_success:
            await _require_recorded(cast, row, before)
        await cast.clear_up(row, answer)
    assert found == row.cells, _HOW


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", [row for row in ROWS if row.acts and "yes" not in row.cells.values()], ids=_id)
async def test_what_only_the_agents_own_user_may_is_in_the_record(cast: Cast, row: Row) -> None:
    before = await _newest(cast)
    answer = await cast.ask("local", row)
    assert answer.is_success, answer.text
    await _require_recorded(cast, row, before)
    await cast.clear_up(row, answer)


def _cell(answer: httpx.Response, wanted: str) -> str:
    if wanted == "none" and answer.status_code == 404 and MARK in answer.text:
        return "none"
    return str(answer.status_code) if answer.status_code in REFUSED else "yes"


def _names(text: str) -> set[str]:
    return set(re.findall(rf"{MARK}-\d+", text))


async def _require_recorded(cast: Cast, row: Row, before: int) -> None:
    record = await cast.scene.agent.core.store.list_audit("default", AuditQuery(after=before, limit=200))
    assert _operation_name(cast, row) in {entry.act for entry in record if entry.outcome == "done"}, (
        f"{row.method} {row.path} changed something and is not in the record: write through the store's verbs "
        "(agent/store/verbs/base.py), or name it in NO_ACTS of tests/contract/api/permission_requests.py"
    )


async def _newest(cast: Cast) -> int:
    found = await cast.scene.agent.core.store.list_audit("default", AuditQuery(limit=1))
    return found[0].number if found else 0


def _operation_name(cast: Cast, row: Row) -> str:
    routes = [route for route in cast.scene.agent.agent.api.routes if isinstance(route, APIRoute)]
    return next(route.name for route in routes if route.path == row.path and row.method in route.methods)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", [row for row in ROWS if row.scope != "-"], ids=_id)
async def test_each_needs_its_scope_whoever_asks(cast: Cast, row: Row) -> None:
    """An administrator whose token lacks the one scope that the route names is refused."""
    answer = await cast.ask(f"without {row.scope}", row)
    assert answer.status_code == 403, f"without {row.scope}: {answer.status_code} {answer.text}"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "GET" and "{" not in row.path], ids=_id)
async def test_lists_are_silent_about_what_their_reader_may_not_see(cast: Cast, row: Row) -> None:
    """Also for a stranger, who may ask for every list."""
    if row.path == "/api/audit":  # what they asked for in vain stands there by the names that they gave it
        for kind in ("connection", "knowledge_base", "dataset", "job", "secret"):
            await cast.scene.renew(kind)
    for role in ("stranger", "other"):
        answer = await cast.ask(role, row)
        assert MARK not in answer.text, f"{role}: {answer.text}"
        assert not [value for value in _ids(cast.scene) if value in answer.text], f"{role}: {answer.text}"


def _operations(agent: RunningAgent) -> list[tuple[str, str]]:
    routes = [route for route in agent.agent.api.routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in routes for method in sorted(route.methods)]


def _ids(scene: Scene) -> list[str]:
    names = (
        "job_id",
        "run_id",
        "waiting",
        "sentinel_id",
        "connections.key",
        "knowledge-bases.key",
        "datasets.key",
        "secrets.name",
    )
    return [scene.values[name] for name in names]
