"""The store's picture of who works."""

from __future__ import annotations

from datetime import timedelta

from agent.core.ports import Store
from shared.models import Worker
from tests.contract.store.making import NOW


def worker(name: str, agent: str = "agent-1", age: timedelta = timedelta(0)) -> Worker:
    return Worker(id=name, agent_id=agent, pid=1, state="idle", started_at=NOW - age, heartbeat_at=NOW - age)


async def test_a_worker_that_its_agent_does_not_name_any_more_is_gone(store: Store) -> None:
    await store.put_workers([worker("w1"), worker("w2")], NOW)
    await store.put_workers([worker("w2"), worker("w3")], NOW)
    assert [found.id for found in await store.list_workers()] == ["w2", "w3"]


async def test_workers_of_other_agents_stay_while_these_can_be_alive(store: Store, engine: str) -> None:
    """One agent holds a SQLite file: the others that wrote there are dead."""
    await store.put_workers([worker("theirs", "agent-2")], NOW)
    await store.put_workers([worker("old", "agent-3", timedelta(minutes=6))], NOW)
    await store.put_workers([worker("ours")], NOW)
    alive = {"ours"} if engine == "sqlite" else {"theirs", "ours"}
    assert {found.id for found in await store.list_workers()} == alive
