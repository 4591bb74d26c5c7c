"""Questions to an agent that has a million runs, over HTTP: asked in turn with a bare Starlette route that sends the same
statement to the same file and answers the same JSON, and with the bare statement. Counts come from the rows that triggers
keep, on both sides; how long to count the runs themselves takes stands beside. An administrator asks, for whom nothing is
narrowed, as for the bare route; what others pay stands in `contracts`."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agent.store import STORE_FILE
from benchmarks.pairs import Comparison, compare_in_turn
from benchmarks.peers import bare_routes
from benchmarks.seeded import seed
from tests.harness.agent_process import agent_process, until

RUNS = 1_000_000
PAGE = 100
_TYPE, _WORD, _MIDDLE = "kb-sync", "certificate", RUNS // 2


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    ours: str
    bare: str
    statement: str
    values: tuple[Any, ...]


_QUESTIONS = (
    _Question(
        f"latest {PAGE} failed of a type",
        f"/api/runs?filter={quote(f'state:failed type:{_TYPE}')}&limit={PAGE}",
        f"/failed?type={_TYPE}&limit={PAGE}",
        bare_routes.FAILED,
        (_TYPE, PAGE),
    ),
    _Question(
        f"a page of {PAGE} from the middle",
        f"/api/runs?before={_MIDDLE}&limit={PAGE}",
        f"/page?before={_MIDDLE}&limit={PAGE}",
        bare_routes.PAGE,
        (_MIDDLE, PAGE),
    ),
    _Question(
        f"full text, latest {PAGE}",
        f"/api/runs?filter={_WORD}&limit={PAGE}",
        f"/text?words={_WORD}&limit={PAGE}",
        bare_routes.TEXT,
        (_WORD, PAGE),
    ),
    _Question("counts by state", "/api/runs/counts", "/counts", bare_routes.COUNTS, ()),
)


async def measure() -> list[Comparison]:
    async with _both(RUNS) as world:
        return await asyncio.to_thread(_measure, world)


def _measure(world: _World) -> list[Comparison]:
    found = [each for question in _QUESTIONS for each in _compared(world, question)]
    counts, page = (partial(world.ours.ask, question.ours) for question in (_QUESTIONS[-1], _QUESTIONS[1]))
    first = partial(world.ours.ask, f"/api/runs?before={RUNS - 1000}&limit={PAGE}")
    counting = _sent(world.store, bare_routes.COUNTED, ())
    found.append(compare_in_turn("counts by state", counts, "counting a million rows", counting, pairs=5, asked=3))
    found.append(compare_in_turn(f"a page of {PAGE} from the middle", page, "one from the top", first))
    return found


def _compared(world: _World, question: _Question) -> list[Comparison]:
    _check_same(world, question)
    name, ours, bare = question.name, partial(world.ours.ask, question.ours), partial(world.bare.ask, question.bare)
    statement = _sent(world.store, question.statement, question.values)
    return [
        compare_in_turn(name, ours, "a bare Starlette route", bare),
        compare_in_turn(name, ours, "the bare statement", statement),
    ]


class _Server:
    """One connection, kept open; what a client library would add is not measured."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = headers

    def ask(self, path: str) -> bytes:
        try:
            self._connection.request("GET", path, headers=self._headers)
            answer = self._connection.getresponse()
        except http.client.RemoteDisconnected:  # it was silent for longer than the server keeps a connection
            self._connection.close()
            return self.ask(path)
        body = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"GET {path}: {answer.status} {body.decode()}")
        return body


def _sent(store: Path, statement: str, values: tuple[Any, ...]) -> Callable[[], object]:
    return lambda: bare_routes.rows(str(store), statement, *values)


@dataclass(frozen=True, slots=True)
class _World:
    ours: _Server
    bare: _Server
    store: Path


def _check_same(world: _World, question: _Question) -> None:
    ours, bare = (json.loads(body) for body in (world.ours.ask(question.ours), world.bare.ask(question.bare)))
    if ours != bare:
        raise RuntimeError(f"{question.name}: the two answers differ\n{ours}\n{bare}")


@asynccontextmanager
async def _both(runs: int) -> AsyncIterator[_World]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name:
        data_dir = Path(name, "agent")
        await seed(data_dir, runs)
        with serving(data_dir) as world:
            yield world


@contextmanager
def serving(data_dir: Path) -> Iterator[_World]:
    """The agent and the bare routes, each in a process of its own."""
    port, store = free_port(), data_dir / STORE_FILE
    env = {"JOBDECK_WORKERS": "1", "JOBDECK_REQUESTS_PER_MINUTE": "10000000"}
    with agent_process(data_dir, "--bind", f"127.0.0.1:{port}", env=env) as agent, _bare_routes(store) as bare:
        token = agent.call("POST", "/api/tokens", {"name": f"bench {port}", "scopes": ["read", "admin"]})["token"]
        yield _World(_Server(port, {"Authorization": f"Bearer {token}"}), bare, store)


@contextmanager
def _bare_routes(store: Path) -> Iterator[_Server]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.bare_routes", str(store), str(port)]
    with subprocess.Popen(command) as process:  # noqa: S603  (its own interpreter)
        try:
            until(lambda: listens(port), "the bare routes answer")
            yield _Server(port, {})
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
