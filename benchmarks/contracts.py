"""The lists of the published contracts and of runs, to an agent with 200,000 runs of 10,000 jobs, over HTTP: as an
administrator and as users who see some of the jobs, each beside a bare Starlette route that asks the same tables the same
question, for the same user, and answers the same JSON."""

# ruff: noqa: S608  (its statements are its own, made of constants)
from __future__ import annotations

import asyncio
import http.client
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agent.store import STORE_FILE
from benchmarks.pairs import Comparison, compare_in_turn
from benchmarks.queries import free_port, listens
from benchmarks.seeded import seed
from tests.harness.agent_process import AgentProcess, agent_process, until

RUNS, JOBS, BASES = 200_000, 10_000, 20
_PAIRS, _ASKED = 7, 16
_ROOT = "/v1/organizations/default/knowledge/connectors"
_SHARED_JOB = 6003
"""A sync that all of them see."""
_USERS = {
    "who sees 5 jobs": "number % 2000 = 3",
    "who sees 1,000": "number % 10 = 3",
    "who sees half": "number % 2 = 1",
}
_UNLIKE = ("pageKey", "metadata")
"""What the bare routes do not have: keys of pages."""


@dataclass(frozen=True, slots=True)
class _Question:
    """`body`: it is a POST; both get the same."""

    name: str
    ours: str
    bare: str
    body: dict[str, Any] | None = None


def _questions(store: Path) -> list[_Question]:
    with closing(sqlite3.connect(store)) as connection:
        [job] = connection.execute("SELECT id FROM jobs WHERE number = ?", (_SHARED_JOB,)).fetchone()
        [corpus] = connection.execute("SELECT number FROM knowledge_bases WHERE name = 'base-3'").fetchone()
    return [
        _Question("003: what waits and runs, 10", "/v1/list-jobs", "/first", {"numResults": 10}),
        _Question("003: failed or aborted, 100", "/v1/list-jobs", "/first", {"numResults": 100, "state": ["FAILED", "ABORTED"]}),
        _Question("003: failed of a corpus, 100", "/v1/list-jobs", "/first", {"numResults": 100, "state": ["FAILED"], "corpusId": [corpus]}),
        _Question("003 v2: all, 10", "/v2/jobs?limit=10", "/second?limit=10"),
        _Question("003 v2: all, 100", "/v2/jobs?limit=100", "/second?limit=100"),
        _Question("002: jobs, 20", f"{_ROOT}/jobs", "/syncs?limit=20"),
        _Question("002: jobs, 100 from 50,000 on", f"{_ROOT}/jobs?limit=100&offset=50000", "/syncs?limit=100&offset=50000"),
        _Question("002: jobs of a connection", f"{_ROOT}/jobs?connection_id={job}", f"/syncs?job={job}&limit=20"),
        _Question("002: the longest that failed", f"{_ROOT}/jobs?status=failed&order_by=-duration", "/syncs?state=failed&limit=20"),
        _Question("002: connections, 20", f"{_ROOT}/connections", "/connections?limit=20"),
        _Question("002: connections, 100", f"{_ROOT}/connections?limit=100", "/connections?limit=100"),
        _Question("002: timeline of a connection", f"{_ROOT}/connections/{job}/timeline", f"/timeline?job={job}&limit=20"),
        _Question("002: sources, 20", f"{_ROOT}/sources", "/sources?limit=20"),
        _Question("runs, 100", "/api/runs?limit=100", "/newest?limit=100"),
        _Question("runs that failed, 100", "/api/runs?limit=100&filter=state:failed", "/failed?limit=100"),
        _Question("counts by state", "/api/runs/counts", "/counts"),
    ]  # fmt: skip


async def measure(rows: str = "") -> list[Comparison]:
    """`rows`: a pattern that their names are searched for; all unless it says something."""
    return await asyncio.to_thread(_measure, re.compile(rows))


def _measure(wanted: re.Pattern[str]) -> list[Comparison]:
    with _both() as world:
        rows = [row for row in _rows(world) if wanted.search(row[0])]
        if not rows:
            sys.exit(f"no row has {wanted.pattern!r}; there are {', '.join(name for name, *_ in _rows(world))}")
        return [_compared(name, server, world.bare, question) for name, server, question in rows]


def _rows(world: _World) -> Iterator[tuple[str, _Server, _Question]]:
    """What a row is called, and who is asked what."""
    for question in _questions(world.store):
        yield question.name, world.ours, question
        for user, server in world.users.items():
            yield f"{question.name}, {user}", server, replace(question, bare=_as_user(question.bare, user))


def _compared(name: str, ours: _Server, bare: _Server, question: _Question) -> Comparison:
    _check_same(ours, bare, question)
    asked, beside = partial(ours.ask, question.ours, question.body), partial(bare.ask, question.bare, question.body)
    return compare_in_turn(name, asked, "a bare Starlette route", beside, pairs=_PAIRS, asked=_ASKED)


def _as_user(path: str, user: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}user={quote(user)}"


@dataclass(frozen=True, slots=True)
class _World:
    ours: _Server
    users: Mapping[str, _Server]
    """The same agent, asked by users who see some of the jobs."""
    bare: _Server
    store: Path


class _Server:
    """One connection, kept open."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = headers

    def ask(self, path: str, body: dict[str, Any] | None) -> bytes:
        sent = None if body is None else json.dumps(body)
        try:
            self._connection.request("GET" if body is None else "POST", path, sent, self._headers)
            answer = self._connection.getresponse()
        except http.client.RemoteDisconnected:  # it was silent for longer than the server keeps a connection
            self._connection.close()
            return self.ask(path, body)
        said = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status} {said.decode()}")
        return said


def _check_same(ours: _Server, bare: _Server, question: _Question) -> None:
    one = json.loads(ours.ask(question.ours, question.body))
    other = json.loads(bare.ask(question.bare, question.body))
    mine = {name: value for name, value in one.items() if name not in _UNLIKE}
    if mine != other:
        raise RuntimeError(f"{question.name}: the two answers differ\n{mine}\n{other}")


@contextmanager
def _both() -> Iterator[_World]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name:
        data_dir = Path(name, "agent")
        asyncio.run(seed(data_dir, RUNS, JOBS))
        store = data_dir / STORE_FILE
        _add_uses(store)
        _add_users(store)
        port = free_port()
        env = {"JOBDECK_WORKERS": "1", "JOBDECK_REQUESTS_PER_MINUTE": "10000000"}
        with agent_process(data_dir, "--bind", f"127.0.0.1:{port}", env=env) as agent, _bare(store) as bare:
            users = {user: _Server(port, _shown(_token_of(agent, user))) for user in _USERS}
            yield _World(_Server(port, _shown(agent.token("read", "admin"))), users, bare, store)


def _shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _token_of(agent: AgentProcess, user: str) -> str:
    return str(agent.call("POST", "/api/tokens", {"name": "bench", "scopes": ["read"], "user": user})["token"])


def _add_users(path: Path) -> None:
    """Some jobs are shared with each."""
    with closing(sqlite3.connect(path)) as store, store:
        now = time.time_ns() // 1000
        for user, which in _USERS.items():
            store.execute("INSERT INTO users (id, handle, created_at) VALUES (?, ?, ?)", (user, user, now))
            store.execute(
                "INSERT INTO members (account_id, user_id, role, code, created_at) VALUES ('default', ?, 'member', 0, ?)",
                (user, now),
            )
            store.execute(
                "INSERT INTO shares (account_id, kind, subject_id, principal_id, level, granted_by, granted_at) "
                f"SELECT 'default', 'job', id, ?, 'reader', 'bench', ? FROM jobs WHERE {which}",
                (user, now),
            )


def _add_uses(path: Path) -> None:
    """Each sync and reset brings a table of some connection into some base, as its definition says."""
    with closing(sqlite3.connect(path)) as store, store:
        now = time.time_ns() // 1000
        for number in range(BASES):
            store.execute(
                "INSERT INTO knowledge_bases (id, name, account_id, owner_id, visibility, embedder, dimensions, rows, "
                "generation, created_at, updated_at) VALUES (?, ?, 'default', NULL, 'account', 'wordllama', 256, 0, 1, ?, ?)",
                (f"base-id-{number}", f"base-{number}", now, now),
            )
            store.execute(
                "INSERT INTO connections (id, name, kind, url, secret_name, account_id, owner_id, visibility, created_at) "
                "VALUES (?, ?, 'sqlite', 'sqlite:////tmp/none.db', NULL, 'default', NULL, 'account', ?)",
                (f"source-id-{number}", f"source-{number}", now),
            )
        data = (
            "json_object('source_table', 'source-' || (number % 20) || '.orders', 'knowledge_base', "
            "'base-' || (number % 20), 'content_columns', json_array('product'), 'filter_column', 'updated_at')"
        )
        kinds = "type IN ('kb-sync', 'kb-reset')"
        store.execute(
            f"UPDATE jobs SET definition = json_set(definition, '$.type', type, '$.data', {data}) WHERE {kinds}"
        )
        store.execute(
            "INSERT INTO job_revisions (job_number, revision, definition, author_id, created_at) "
            f"SELECT number, 1, definition, owner_id, created_at FROM jobs WHERE {kinds} "
            "AND number NOT IN (SELECT job_number FROM job_revisions)"
        )
        for kind, word in (("knowledge_base", "base-"), ("connection", "source-")):
            store.execute(
                "INSERT INTO job_uses (job_number, revision, kind, name, account_id) "
                f"SELECT number, 1, ?, ? || (number % 20), 'default' FROM jobs WHERE {kinds}",
                (kind, word),
            )


@contextmanager
def _bare(store: Path) -> Iterator[_Server]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.bare_listings", str(store), str(port)]
    with subprocess.Popen(command) as process:  # noqa: S603  (its own interpreter)
        try:
            until(lambda: listens(port), "the bare routes answer")
            yield _Server(port, {})
        finally:
            process.terminate()
