"""One of everything that routes name, owned by one user and shared with others at every level, for whoever asks."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from agent.core.permissions.callers import EVERY_SCOPE, Caller
from agent.core.records import JobChange, NewRun, NewShare, Outcome
from agent.core.sentinels.records import Judged, Opened, Watch
from shared.ids import new_id
from shared.models import ConnectionInput, Job, KnowledgeBaseInput, Run, SecretInput
from tests.contract.api.people import EVERYTHING, PASSWORD, People, Person
from tests.contract.store.making import Maker, definition, fence, marks
from tests.harness.agent import RunningAgent

LEVELS = ("reader", "runner", "editor", "manager")
ROLES = ("nobody", "other", "stranger", *LEVELS, "owner", "admin")
"""`other` administers another account; `stranger` is a user of this one with whom nothing is shared; each of the levels
has a share at that level; all but the first have tokens with every scope, and only `admin` and `other` have `admin`."""
_MAIL = {
    "id": "a1", "type": "email", "data": {"to": "ops@example.org", "subject": "s", "text": "t"},
    "attachments": [{"id": "f1", "type": "file", "name": "f.txt"}],
}  # fmt: skip
MARK = "confidential"
"""Stands in the name of all that is shared here: nobody is to read it who may not."""


_SHARED = {"job", "sync", "connection", "knowledge_base", "dataset", "secret"}


class Scene:
    def __init__(self, agent: RunningAgent, people: dict[str, Person], source: Path) -> None:
        self.agent = agent
        self.people = people
        self.source_url = f"sqlite:///{source}"
        self._made = 0
        self._cursor: int | None = None
        self.values: dict[str, str] = {}
        """What stands for the parameters of paths: `job_id`, `run_id`, `connections.key` …"""

    @classmethod
    async def set_up(cls, agent: RunningAgent, folder: Path) -> Scene:
        make = People(agent)
        async with agent.local() as local:
            assert (await local.post("/api/accounts", json={"id": "other"})).status_code == 201
        people = {role: await make.make(role) for role in ROLES if role not in {"nobody", "other", "admin"}}
        people["admin"] = await make.make("admin", *EVERYTHING, "admin", role="admin")
        people["other"] = await make.make("eve", *EVERYTHING, "admin", role="admin", account="other")
        source = folder / "source.sqlite"
        with sqlite3.connect(source) as database:
            database.execute("create table orders (id integer primary key, product text, at timestamp)")
        scene = cls(agent, people, source)
        await make.make("login", "read", password=PASSWORD)
        scene.values["login"] = "login"
        for kind in ("connection", "knowledge_base", "dataset", "job", "sync", "secret", "user", "token", "account"):
            await scene.renew(kind)
        return scene

    def path(self, path: str, places: Mapping[str, str] | None = None) -> str:
        """The path with its parameters filled in, with other values than those of their names where `places` says so;
        KeyError names the one that nothing here stands for."""
        place, others = path.split("/")[2] if path.startswith("/api/") else "", places or {}
        return re.sub(r"{(\w+)}", lambda found: self._value(place, others.get(found[1], found[1])), path)

    def client(self, role: str) -> httpx.AsyncClient:
        return self.agent.tcp(self.people[role].token if role in self.people else None)

    async def renew(self, kind: str) -> None:
        """Make another of what an act may have changed or removed."""
        self._made += 1
        name = f"{MARK if kind in _SHARED else 'other'}-{self._made}"
        await getattr(self, f"_make_{kind}")(name)

    def _value(self, place: str, name: str) -> str:
        for key in (f"{place}.{name}", name):
            if key in self.values:
                return self.values[key]
        raise KeyError(f"{place}.{name}")

    async def _make_job(self, name: str) -> None:
        store, now, owner = self.agent.core.store, self.agent.clock.now(), self.people["owner"]
        fields = {"type": "api-call", "data": {"url": "http://example.com/"}, "actions": [_MAIL], "datasets": [
            {"alias": "d", "datasetId": self.values["datasets.key"]}
        ]}  # fmt: skip
        job = await Maker(store).job(name, account="default", owner=owner.id, **fields)
        again = JobChange(job.id, definition(name, description="again", **fields), marks(), owner.id)
        await store.replace_job(again, None, now)
        ended = await self._ended_run(job)
        new = [NewRun(new_id(), job.id, "api", None, now, chained=False) for _ in range(2)]
        waiting, leaving = await store.insert_runs(new, now)
        await store.request_cancel([leaving.id], "owner", None, now, due=now + timedelta(seconds=10))
        self.values |= {
            "job_id": job.id, "run_id": ended.id, "id": ended.id, "waiting": waiting.id, "leaving": leaving.id,
            "history_id": ended.id, "job_type": "command", "revision": "1", "other": "2", "alias": "d", "action_id": "a1", "attachment_id": "f1",
            "principal_id": self.people["reader"].id,
        }  # fmt: skip
        self.values["sentinel_id"] = await self._sentinel(ended)
        await self._share("job", job.id)
        await self._upload()

    async def _make_sync(self, name: str) -> None:
        store, now, owner = self.agent.core.store, self.agent.clock.now(), self.people["owner"]
        data = {
            "source_table": f"{self.values['connection_name']}.orders", "content_columns": ["product"],
            "knowledge_base": self.values["knowledge_base_name"], "filter_column": "at",
        }  # fmt: skip
        job = await Maker(store).job(name, account="default", owner=owner.id, type="kb-sync", data=data)
        later = now + timedelta(days=1)  # no other job's run that is claimed takes them along
        new = [NewRun(new_id(), job.id, "api", None, later, chained=False) for _ in range(2)]
        ended, waiting = await store.insert_runs(new, now)
        await store.request_cancel([ended.id], "owner", None, now)
        self.values |= {
            "organization_id": "default", "connection_id": job.id, "sync_run": ended.id, "sync_waiting": waiting.id
        }  # fmt: skip
        await self._share("job", job.id)

    async def _upload(self) -> None:
        path = "/api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}/action-attachment-file-contents"
        async with self.client("owner") as owner:
            answer = await owner.put(self.path(path), content=b"a file")
        assert answer.is_success, answer.text

    async def _ended_run(self, job: Job) -> Run:
        store, now = self.agent.core.store, self.agent.clock.now()
        [run] = await store.insert_runs([NewRun(new_id(), job.id, "api", None, now, chained=False)], now)
        claimed = await store.claim([f"w-{number}" for number in range(50)], "agent-1", now, now)
        await store.finish([Outcome(fence(each), "completed", now) for each in claimed], now)
        ended: Run = await store.get_run("default", run.id)
        assert ended.state == "completed"
        return ended

    async def _sentinel(self, run: Run) -> str:
        store, now, sentinel = self.agent.core.store, self.agent.clock.now(), new_id()
        news = await store.sentinel_news(self._cursor, 1_000_000)
        number = next(each.job_number for each in news.ended if each.id == run.id)
        opened = Opened(sentinel, "too_slow", now, "because", {"observed": 3.0}, run.id)
        self._cursor = news.cursor
        await store.write_judged([Judged(number, Watch(1, "work", 1, "rhythm"), [opened], [])], news.cursor, now)
        return sentinel

    async def _make_connection(self, name: str) -> None:
        made = await self.agent.core.world.create_connection(
            self._owner(), ConnectionInput(name=name, url=self.source_url)
        )
        self.values["connection_name"] = name
        await self._own("connection", "connections.key", made.id)

    async def _make_knowledge_base(self, name: str) -> None:
        made = await self.agent.core.world.create_knowledge_base(self._owner(), KnowledgeBaseInput(name=name))
        self.values["knowledge_base_name"] = name
        await self._own("knowledge_base", "knowledge-bases.key", made.id)

    async def _make_dataset(self, name: str) -> None:
        given = {"name": name, "connection": self.values["connection_name"], "query": "select 1 as one"}
        async with self.client("owner") as owner:
            made = await owner.post("/api/datasets", json=given)
        assert made.status_code == 201, made.text
        self.values |= {"snapshot_id": new_id(), "dataset_name": name}
        await self._own("dataset", "datasets.key", made.json()["id"])

    async def _make_secret(self, name: str) -> None:
        await self.agent.core.secrets.put(self._owner(), name, SecretInput(value="s3cr3t-text"))
        await self._own("secret", "secrets.name", name)
        self.values["new_secret"] = f"own-{name}".replace(MARK, "secret")

    async def _make_user(self, name: str) -> None:
        self.values["users.key"] = (await People(self.agent).make(name, "read")).id

    async def _make_token(self, name: str) -> None:
        await self._make_user(name)
        async with self.agent.local() as local:
            tokens = (await local.get("/api/tokens")).json()["items"]
        self.values["token_id"] = next(each["id"] for each in tokens if each["handle"] == name)

    async def _make_account(self, name: str) -> None:
        async with self.agent.local() as local:
            assert (await local.post("/api/accounts", json={"id": name})).status_code == 201
        self.values["account_id"] = name

    def _owner(self) -> Caller:
        return Caller("default", self.people["owner"].id, "owner", EVERY_SCOPE, "token")

    async def _own(self, kind: Any, value: str, subject_id: str) -> None:
        """Give it to the owner, for that user's eyes and those of the shares."""
        self.values[value] = subject_id
        store, now = self.agent.core.store, self.agent.clock.now()
        await store.set_visibility("default", kind, subject_id, "private", self.people["owner"].id, now)
        await self._share(kind, subject_id)

    async def _share(self, kind: Any, subject_id: str) -> None:
        store, now = self.agent.core.store, self.agent.clock.now()
        for level in LEVELS:
            new = NewShare("default", kind, subject_id, self.people[level].id, level, "owner")  # type: ignore[arg-type]
            await store.put_share(new, now)
