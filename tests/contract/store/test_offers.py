"""A run that is made, and claimed by nothing but the next write of the same transaction: written once, and no different."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from agent.core.permissions.audit import acts
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports import Store
from agent.core.records import Ahead, AuditQuery, ClaimedRun, JobChange, NewRun, RunVariant
from agent.store.runs import claims, moves, offers
from agent.store.store import SqlStore
from shared.errors import LimitReached, NotFound
from shared.ids import new_id
from shared.models import AccountLimits, Job, Run
from shared.states import RunState
from tests.contract.store.making import LEASE, MINUTE, NOW, Maker, completed, definition, fence, marks

Both = tuple[list[Run] | BaseException, list[ClaimedRun]]


async def together(store: Store, *new: NewRun, workers: tuple[str, ...] = ("w1",), ahead: Ahead | None = None) -> Both:
    """What was made, and what was claimed right behind it."""
    making = asyncio.ensure_future(store.insert_runs(list(new), NOW))
    await asyncio.sleep(0)  # it is queued, and nothing more
    claiming = asyncio.ensure_future(store.claim(workers, "agent-1", NOW + LEASE, NOW, ahead))
    [made] = await asyncio.gather(making, return_exceptions=True)
    return made, await claiming


def asked(job: Job, **fields: Any) -> NewRun:
    return NewRun(new_id(), job.id, fields.pop("cause", "api"), None, NOW, **{"chained": None, **fields})


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[RunState]:
    """To what runs were moved that had been written before."""
    states: list[RunState] = []
    real = moves.move_each

    def move_each(connection: sa.Connection, target: RunState, *args: Any, **more: Any) -> None:
        states.extend([target] if args[0] else [])
        real(connection, target, *args, **more)

    monkeypatch.setattr(moves, "move_each", move_each)
    return states


@pytest.mark.parametrize("policies", [{}, {"overlap": "allow", "priority": 3, "retry": {"attempts": 4}}])
async def test_it_is_what_it_would_be_if_both_were_apart(
    store: Store, make: Maker, policies: dict[str, Any], moved: list[RunState]
) -> None:
    def plain(run: Run) -> dict[str, Any]:
        return run.model_dump(mode="json", exclude={"id", "number", "job_id", "job_name"})

    other, job = [await make.job(name, policies=policies, data={"argv": ["true"]}) for name in ("one", "other")]
    start = await store.last_event_id()
    [apart], [its_claim] = await store.insert_runs([asked(other)], NOW), await make.claim()
    as_read, its_attempts = await make.read(apart), await store.attempts(apart.id)
    its_events = await store.events_after("main", start, 10)
    await store.finish([completed(its_claim)], NOW)
    assert moved == [RunState.RUNNING, RunState.COMPLETED]
    moved.clear()

    last = await store.last_event_id()
    made, [claimed] = await together(store, asked(job), workers=("w1", "w2"), ahead=Ahead(["w1"], lambda _run: True))
    assert isinstance(made, list)
    assert moved == [], "it is written once"
    assert [plain(run) for run in made] == [plain(apart)]
    assert plain(claimed.run) == plain(its_claim.run)
    assert plain(await make.read(claimed)) == plain(as_read)
    assert (claimed.definition.data, claimed.policies) == (its_claim.definition.data, its_claim.policies)
    assert (claimed.checkpoint, claimed.promised, claimed.unreadable) == (None, False, "")
    assert await store.attempts(claimed.run.id) == its_attempts
    told = await store.events_after("main", last, 10)
    assert told is not None
    assert its_events is not None
    assert [(event.kind, event.data["state"], event.data["version"]) for event in told] == [
        (event.kind, event.data["state"], event.data["version"]) for event in its_events[:2]
    ]
    assert await store.claim(["w2"], "agent-1", NOW + LEASE, NOW) == []
    assert await store.extend_leases([fence(claimed)], NOW + MINUTE, NOW) == []
    [ended] = await store.finish([completed(claimed)], NOW)
    assert (ended.state, ended.version) == (RunState.COMPLETED, 3)
    counts = await store.count_by_state("main")
    assert {state: count for state, count in counts.items() if count} == {"completed": 2}


async def test_whoever_asked_for_it_stands_in_the_audit(store: Store, make: Maker, moved: list[RunState]) -> None:
    job = await make.job()
    with acts(Caller("main", "anna-id", "anna", frozenset(Scope), "socket"), "run_job", job.id):
        _, [claimed] = await together(store, asked(job))
    assert (claimed.run.state, moved) == (RunState.RUNNING, [])
    [entry] = await store.list_audit("main", AuditQuery(limit=10))
    assert (entry.act, entry.handle, entry.subject_id) == ("run_job", "anna", claimed.run.id)


async def test_whoever_waits_longer_goes_first(store: Store, make: Maker) -> None:
    job, other = await make.job("one", policies={"overlap": "allow"}), await make.job("other")
    older = await make.run(other)
    made, [claimed] = await together(store, asked(job))
    assert claimed.run.id == older.id
    assert isinstance(made, list)
    assert (await make.read(made[0])).state is RunState.PENDING
    assert [each.run.id for each in await make.claim("w2")] == [made[0].id]


async def test_where_two_places_are_free_both_get_one(store: Store, make: Maker) -> None:
    job, other = await make.job("one"), await make.job("other")
    older = await make.run(other)
    made, claimed = await together(store, asked(job), workers=("w1", "w2"))
    assert isinstance(made, list)
    assert [(each.run.id, each.run.worker_id) for each in claimed] == [(older.id, "w1"), (made[0].id, "w2")]


async def test_behind_an_active_run_of_its_job_it_waits_unless_they_may_overlap(store: Store, make: Maker) -> None:
    chained, free = await make.job("chained"), await make.job("free", policies={"overlap": "allow"})
    await make.claimed(chained, "w1")
    await make.claimed(free, "w2")
    assert (await together(store, asked(chained), workers=("w3",)))[1] == []
    [claimed] = (await together(store, asked(free), workers=("w4",)))[1]
    assert claimed.run.job_id == free.id


async def test_a_key_is_counted(store: Store, make: Maker) -> None:
    job = await make.job(policies={"overlap": "allow", "concurrency": {"key": "disk", "limit": 1}})
    assert len((await together(store, asked(job)))[1]) == 1
    assert (await together(store, asked(job), workers=("w2",)))[1] == []


async def test_what_is_due_later_does_not_begin(store: Store, make: Maker) -> None:
    new = asked(await make.job())
    later = NewRun(new.id, new.job_id, "api", None, NOW + MINUTE)
    assert (await together(store, later))[1] == []
    assert await store.next_available(NOW) == NOW + MINUTE


async def test_another_revision_and_another_type_are_as_they_were_asked_for(store: Store, make: Maker) -> None:
    job = await make.job(data={"version": 1})
    change = JobChange(job.id, definition(data={"version": 2}), marks(), "anna-id")
    await store.replace_job(change, None, NOW)
    [claimed] = (await together(store, asked(job, revision=1)))[1]
    assert (claimed.run.revision, claimed.definition.data) == (1, {"version": 1})
    await store.finish([completed(claimed)], NOW)
    [claimed] = (await together(store, asked(job, variant=RunVariant("http", "test", {"url": "x"}))))[1]
    assert claimed.run.type == "http"
    assert await store.run_variant(claimed.run.id) == RunVariant("http", "test", {"url": "x"})


async def test_of_two_the_first_gets_the_place(store: Store, make: Maker) -> None:
    job, urgent = await make.job("one"), await make.job("urgent", policies={"priority": 5})
    made, [claimed] = await together(store, asked(job), asked(urgent))
    assert isinstance(made, list)
    assert claimed.run.id == made[1].id


async def test_a_run_that_is_refused_leaves_the_place_to_others(store: Store, make: Maker) -> None:
    job = await make.job()
    refused, claimed = await together(store, NewRun(new_id(), "nobody", "api", None, NOW))
    assert isinstance(refused, NotFound)
    assert claimed == []
    await store.put_account_limits("main", AccountLimits(waiting_runs=1), NOW)
    older = await make.run(job)
    refused, [given] = await together(store, asked(job))
    assert isinstance(refused, LimitReached)
    assert given.run.id == older.id


@pytest.mark.parametrize("breaks", ["claim", "commit"])
async def test_what_is_rolled_back_has_not_begun(
    store: SqlStore, make: Maker, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    """The claim alone is refused: the run is made apart from it, and waits. Neither is committed: neither is there."""
    job = await make.job()
    with monkeypatch.context() as broken:
        _break(broken, breaks)
        new = asked(job)
        making = asyncio.ensure_future(store.insert_runs([new], NOW))
        await asyncio.sleep(0)
        claiming: Awaitable[list[ClaimedRun]] = asyncio.ensure_future(
            store.claim(["w1"], "agent-1", NOW + LEASE, NOW)  # type: ignore[arg-type]
        )
        made, claimed = await asyncio.gather(making, claiming, return_exceptions=True)
    assert isinstance(claimed, ZeroDivisionError)
    if breaks == "commit":
        assert isinstance(made, ZeroDivisionError)
        assert await make.runs() == []
        return
    assert isinstance(made, list)
    run = await make.read(made[0])
    assert (run.state, run.version, run.attempt, run.worker_id) == (RunState.PENDING, 1, 0, None)
    assert await store.attempts(run.id) == []
    assert [each.run.id for each in await make.claim()] == [run.id]


def _break(broken: pytest.MonkeyPatch, what: str) -> None:
    from agent.store.engine import writer

    real: Callable[[sa.Connection], Any] = offers.taken

    def fail(_connection: sa.Connection) -> None:
        raise ZeroDivisionError

    def fail_if_begun(connection: sa.Connection) -> Any:
        assert connection.info.get("offer") is None or real(connection) is not None, "it had begun, the first time"
        raise ZeroDivisionError

    if what == "commit":
        broken.setattr(writer, "commit", fail)
    else:
        broken.setattr(claims.offers, "taken", fail_if_begun)
