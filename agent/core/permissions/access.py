"""What a caller names, found, and given only to who may do with it what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import LEVELS, WORDS, Act, ResourceKind, Standing, check, seen_by
from agent.core.ports import Store
from shared.errors import NotFound
from shared.models import Connection, Job, KnowledgeBase, Run, Secret, Worker
from shared.models.dataset import Dataset

Owned = TypeVar("Owned", Job, Connection, KnowledgeBase, Dataset, Secret)


class Access:
    """The rules with the store beside them. The owner and administrators cost no further question."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def job(self, caller: Caller, key: str, act: Act) -> Job:
        """By id, slug, natural id or name. NotFound, Forbidden."""
        return await self._allowed(caller, act, "job", key, await self._store.get_job(caller.account_id, key))

    async def run(self, caller: Caller, run_id: str, act: Act) -> Run:
        """A run stands as its job does, deleted or not."""
        run = await self._store.get_run(caller.account_id, run_id)
        await self.of_job(caller, run.job_id, act, f"run {run_id}")
        return run

    async def of_job(self, caller: Caller, job_id: str, act: Act, what: str) -> None:
        """Whether the caller may do that with `what`, which follows the job. NotFound, Forbidden."""
        check(caller, act, await self.standing(caller, "job", job_id), what)

    async def connection(self, caller: Caller, key: str, act: Act) -> Connection:
        found = await self._store.get_connection(caller.account_id, key)
        return await self._allowed(caller, act, "connection", key, found)

    async def knowledge_base(self, caller: Caller, key: str, act: Act) -> KnowledgeBase:
        found = await self._store.get_knowledge_base(caller.account_id, key)
        return await self._allowed(caller, act, "knowledge_base", key, found)

    async def dataset(self, caller: Caller, key: str, act: Act) -> Dataset:
        found = await self._store.get_dataset(caller.account_id, key)
        return await self._allowed(caller, act, "dataset", key, found)

    async def secret(self, caller: Caller, name: str, act: Act) -> Secret:
        """All but its value."""
        found = await self._store.get_secret(caller.account_id, name)
        return await self._allowed(caller, act, "secret", name, found)

    async def subject(self, caller: Caller, kind: ResourceKind, key: str, act: Act) -> str:
        """The id of the one that the key names, whatever it is."""
        match kind:
            case "job":
                return (await self.job(caller, key, act)).id
            case "connection":
                return (await self.connection(caller, key, act)).id
            case "knowledge_base":
                return (await self.knowledge_base(caller, key, act)).id
            case "dataset":
                return (await self.dataset(caller, key, act)).id
            case "secret":
                return (await self.secret(caller, key, act)).id
        raise NotFound(f"a {WORDS[kind]} has no shares")

    async def workers(self, caller: Caller) -> list[Worker]:
        """All workers of the agents; what they work on only where the caller may read it."""
        caller.require(Scope.READ)
        workers = await self._store.list_workers()
        named = [worker.run_id for worker in workers if worker.run_id]
        seen = await self._store.seen_runs(caller.account_id, named, seen_by(caller)) if named else set()
        return [worker if worker.run_id in seen else _masked(worker) for worker in workers]

    async def of_jobs(self, caller: Caller, jobs: Iterable[Job]) -> Mapping[str, Standing]:
        """How each of the caller's account stands to the caller, by id."""
        owners = {job.id: job.owner_id for job in jobs}
        return await self._store.standings(caller.account_id, "job", owners, caller.user_id)

    async def standing(
        self, caller: Caller, kind: ResourceKind, subject_id: str, owner_id: str | None = None
    ) -> Standing:
        """How it stands to the caller; `owner_id` where it is known saves its owner the question."""
        if caller.is_admin or owner_id == caller.user_id:
            return Standing(caller.account_id, caller.user_id, LEVELS[-1])
        found = await self._store.standing(caller.account_id, kind, subject_id, caller.user_id)
        return found or Standing("", None)  # of no account: not there

    async def _allowed(self, caller: Caller, act: Act, kind: ResourceKind, key: str, found: Owned) -> Owned:
        standing = await self.standing(caller, kind, found.id, found.owner_id)
        check(caller, act, standing, f"{WORDS[kind]} {key!r}")
        return found


def _masked(worker: Worker) -> Worker:
    return worker.model_copy(update={"run_id": None, "job_name": None, "account_id": None})
