"""What is SQLite's alone: its file, its locks, its plans, its full disk."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from agent.core.permissions.audit import acting, acts
from agent.core.permissions.callers import EVERY_SCOPE, Caller
from agent.core.records import NewRun, RunUpdate
from agent.store import SqlStore, facts, open_store, schema
from agent.store.engine import place
from agent.store.engine.prepared import _Compiled
from agent.store.lists import counts, fulltext
from agent.store.permissions import sight
from agent.store.tables import metadata, runs
from shared.clock import ManualClock
from shared.errors import Conflict, NotFound, Unavailable
from shared.ids import new_id
from shared.models import Event
from shared.states import RunState
from tests.contract.store.making import NOW, Maker, completed, fence, started


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def sqlite(path: Path, clock: ManualClock) -> AsyncIterator[SqlStore]:
    store = await open_store(path, clock=clock, new_id=new_id)
    yield store
    await store.close()


def _schema(path: Path) -> dict[str, list[str]]:
    """Each table and index with its clauses, in no order: the two ways name the constraints in different ones."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"
    found = sqlite3.connect(path).execute(query).fetchall()
    return {name: sorted(_clauses(text)) for name, text in found}


def _clauses(text: str) -> list[str]:
    plain = " ".join(text.replace('"', "").split())
    return [clause.strip(" )") for clause in re.split(r",(?![^(]*\))", plain)]


async def test_the_schema_is_the_sum_of_the_migrations(sqlite: SqlStore, path: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.db"
    engine = sa.create_engine(f"sqlite:///{drawn}")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for statement in (*fulltext.DDL, *counts.DDL, *sight.DDL):
            connection.execute(sa.text(statement))
    engine.dispose()
    assert _schema(path) == _schema(drawn)


def test_the_head_that_the_store_knows_is_the_newest_migration() -> None:
    versions = Path(schema.__file__).parent / "migrations" / "versions"
    assert max(file.name.split("_")[0] for file in versions.glob("0*.py")) == schema.HEAD


def test_alembic_is_loaded_only_to_migrate(path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from agent.store import open_store; "
        "from shared.clock import SystemClock; from shared.ids import new_id\n"
        "async def main():\n"
        "    store = await open_store(Path(sys.argv[1]), clock=SystemClock(), new_id=new_id); await store.close()\n"
        "asyncio.run(main()); print('alembic' in sys.modules)"
    )
    loads = [_run(script, path) for _ in range(2)]
    assert loads == ["True", "False"]


def _run(script: str, path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def test_a_store_of_a_newer_jobdeck_is_refused(sqlite: SqlStore, path: Path, clock: ManualClock) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match="newer Jobdeck"):
        await open_store(path, clock=clock, new_id=new_id)


async def test_what_is_no_store_is_refused_with_a_sentence(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "text").write_text("not a database, by far not, and longer than a header" * 100)
    for path in (tmp_path / "text", tmp_path / "missing" / "store.db", tmp_path):
        with pytest.raises(Unavailable, match="cannot be opened"):
            await open_store(path, clock=clock, new_id=new_id)


async def test_the_files_are_their_owners_alone(sqlite: SqlStore, path: Path) -> None:
    await sqlite.ping()
    for file in path.parent.glob("store.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_readers_cannot_write(sqlite: SqlStore) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await sqlite._read(lambda connection: connection.execute(sa.text("DELETE FROM events")))


async def test_the_schema_refuses_what_the_table_of_moves_does(sqlite: SqlStore) -> None:
    run = await Maker(sqlite).run(await Maker(sqlite).job())
    for values in (
        {"state": "sleeping"},
        {"state": RunState.COMPLETED},
        {"finished_at": NOW},
        {"lease_until": NOW},
        {"lease_until": NOW, "worker_id": "w1", "state": RunState.RETRYING},
        {"state": RunState.RUNNING},
        {"error_kind": "x"},
    ):
        with pytest.raises(IntegrityError, match="CHECK"):
            await sqlite._write(lambda connection, values=values: connection.execute(sa.update(runs).values(values)))
    assert (await sqlite.get_run("main", run.id)).state == RunState.PENDING


async def test_a_refused_write_takes_no_other_of_its_group_with_it(sqlite: SqlStore) -> None:
    make = Maker(sqlite)
    results = await asyncio.gather(
        make.job("one"),
        make.job("one"),
        sqlite.delete_job("nobody", None, NOW),
        make.job("two"),
        return_exceptions=True,
    )
    assert [type(each) for each in results[1:3]] == [Conflict, NotFound]
    assert [job.name for job in (await sqlite.list_jobs("main"))[0]] == ["one", "two"]


async def test_a_full_disk_is_said_once_and_forgotten_when_there_is_room(sqlite: SqlStore) -> None:
    heard: list[Event] = []
    sqlite.subscribe(lambda news: heard.extend(event for event in news if event.kind == "agent.changed"))
    last = await sqlite.last_event_id()
    pages = await sqlite._write(lambda connection: connection.scalar(sa.text("PRAGMA page_count")))
    await sqlite._write(lambda connection: connection.execute(sa.text(f"PRAGMA max_page_count = {pages + 5}")).scalar())
    big = [sqlite.put_secret("main", str(number), b"x" * 20_000, NOW) for number in range(8)]
    refused = await asyncio.gather(*big, return_exceptions=True)
    assert {type(each) for each in refused} == {Unavailable}
    assert "disk is full" in str(refused[0])
    assert await sqlite.list_secrets("main") == []
    assert sqlite.trouble is not None
    with pytest.raises(Unavailable):
        await sqlite.put_secret("main", "more", b"x" * 40_000, NOW)
    assert [(event.id, event.data["store"]) for event in heard] == [(0, "refuses")], "told at once, and once"
    assert await sqlite.last_event_id() == last
    await sqlite._write(lambda connection: connection.execute(sa.text("PRAGMA max_page_count = 1000000")).scalar())
    await sqlite.put_secret("main", "now", b"x" * 20_000, NOW)
    assert [secret.name for secret in await sqlite.list_secrets("main")] == ["now"]
    assert sqlite.trouble is None
    assert [event.data["store"] for event in heard[1:]] == ["refuses", "works"]
    assert [event for event in await sqlite.events_after("main", last, 10) or [] if event in heard] == heard[1:]
    assert all("disk is full" in event.data["reason"] for event in heard)


async def test_another_process_that_writes_is_waited_for(sqlite: SqlStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.ensure_future(sqlite.put_secret("main", "a", b"x", NOW))
    done, _ = await asyncio.wait([write], timeout=0.3)
    assert not done
    other.execute("COMMIT")
    await write


async def test_writes_that_wait_together_are_committed_together(sqlite: SqlStore) -> None:
    commits: list[object] = []
    sa.event.listen(sqlite._writer._engine, "commit", commits.append)
    await asyncio.gather(*(sqlite.put_secret("main", str(number), b"x", NOW) for number in range(100)))
    assert len(commits) <= 3


async def test_whoever_asks_whether_it_works_costs_one_commit_a_second(sqlite: SqlStore, clock: ManualClock) -> None:
    commits: list[object] = []
    sa.event.listen(sqlite._writer._engine, "commit", commits.append)

    async def ask() -> int:
        await asyncio.gather(*(sqlite.ping() for _ in range(50)))
        return len(commits)

    assert (await ask(), await ask()) == (1, 1)
    clock.advance(timedelta(seconds=1))
    assert await ask() == 2
    clock.advance(timedelta(seconds=1))
    await sqlite.put_secret("main", "a", b"x", clock.now())
    assert await ask() == 3, "what others have stored is proof enough"
    clock.advance(timedelta(seconds=1))
    gone = asyncio.ensure_future(sqlite.ping())
    staying = asyncio.ensure_future(sqlite.ping())
    await asyncio.sleep(0)
    gone.cancel()
    await staying


async def test_who_stops_waiting_disturbs_neither_reads_nor_writes(sqlite: SqlStore) -> None:
    for _ in range(5):
        tasks = [asyncio.ensure_future(sqlite.put_secret("main", str(number), b"x", NOW)) for number in range(20)]
        tasks += [asyncio.ensure_future(sqlite.list_jobs("main")) for _ in range(20)]  # type: ignore[misc]
        await asyncio.sleep(0.002)  # some have begun, some have not
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) or not isinstance(each, BaseException) for each in results)
    await sqlite.ping()


async def test_no_value_stands_in_an_error(sqlite: SqlStore) -> None:
    query = sa.text("SELECT * FROM nothing WHERE a = :secret")
    with sqlite._writer._engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(query, {"secret": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def plans(sqlite: SqlStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans of all statements that the store sends from now on, as SQLite itself explains them."""
    found: list[str] = []
    explaining = sqlite3.connect(path, check_same_thread=False)  # the writer has a thread of its own
    explaining.create_function("lower", 1, str.lower, deterministic=True)

    def explain(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            one = parameters[0] if isinstance(parameters, list) else parameters
            found.extend(row[3] for row in explaining.execute(f"EXPLAIN QUERY PLAN {statement}", one))

    for engine in (sqlite._writer._engine, sqlite._readers.engine):
        sa.event.listen(engine, "before_cursor_execute", explain)
    bind = _Compiled.bind

    def bind_and_explain(compiled: _Compiled, given: Mapping[str, Any]) -> tuple[Any, ...]:
        values = bind(compiled, given)
        explain(None, None, compiled._text, values)
        return values

    monkeypatch.setattr(_Compiled, "bind", bind_and_explain)
    return found


async def test_the_hot_paths_go_by_index(sqlite: SqlStore, plans: list[str]) -> None:
    """Neither a scan of all runs or jobs, nor a sort of them, where an agent does it again and again."""
    make = Maker(sqlite)
    job = await make.job(next_fire_at=NOW, policies={"concurrency": {"key": "k", "limit": 1}})
    [due] = await sqlite.due_jobs(NOW, 100)
    await make.settle(due.job, started(job, NOW), next_fire_at=NOW)
    await make.run(job, chained=True)
    await sqlite.next_due()
    await sqlite.stale_zone_jobs("2026a", 10)
    [claimed] = await make.claim("w1", "w2")
    await sqlite.extend_leases([fence(claimed)], NOW, NOW)
    await sqlite.update_runs([RunUpdate(fence(claimed), progress={"done": 1}, checkpoint={}, warnings=["x"])], NOW)
    await sqlite.finish([completed(claimed)], NOW)
    await sqlite.expired_leases(NOW)
    await sqlite.next_available(NOW)
    for sort in ("name", "type", "createdAt", "updatedAt", "nextRunAt", "enabled"):
        await sqlite.list_jobs("main", sort=sort)
        await sqlite.list_jobs("main", sort=f"-{sort}")
    await make.runs()
    await make.runs("state:failed")
    await make.runs(job_id=job.id)
    await sqlite.list_fires("main", job_id=job.id)
    await sqlite.events_after("main", 0, 10)
    scans = [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan and "CONSTANT" not in plan]
    sorts = [plan for plan in plans if "ORDER BY" in plan]
    assert scans == []
    assert sorts == []


async def test_who_rides_on_a_callers_write_is_not_that_caller(sqlite: SqlStore) -> None:
    caller = Caller("main", "anna-id", "anna", EVERY_SCOPE, "token")
    ridden: list[object] = []
    sqlite.ride(lambda: ridden.append(acting()))
    await sqlite.ensure_account("main", "anna-id", "anna", NOW)
    with acts(caller, "run_job"):
        job = await Maker(sqlite).job()
        await sqlite.insert_runs([NewRun(new_id(), job.id, "api", None, NOW)], NOW)
    assert ridden == [None]


@pytest.mark.parametrize("then", ["deleted", "replaced"])
async def test_a_file_that_is_gone_from_its_place_is_no_store(sqlite: SqlStore, path: Path, then: str) -> None:
    """It would take writes as ever, and nobody would ever read them."""
    await sqlite.put_secret("main", "before", b"x", NOW)
    assert len(await sqlite.list_secrets("main")) == 1
    _put_elsewhere(path, then)
    with pytest.raises(Unavailable, match="deleted or replaced"):
        await sqlite.ping()
    with pytest.raises(Unavailable, match="put it back"):
        await sqlite.put_secret("main", "lost", b"x", NOW)
    assert sqlite.trouble is not None
    assert [secret.name for secret in await sqlite.list_secrets("main")] == ["before"], "reading goes on"
    _put_back(path)
    await sqlite.put_secret("main", "after", b"x", NOW)
    assert sqlite.trouble is None
    await sqlite.ping()
    assert [secret.name for secret in await sqlite.list_secrets("main")] == ["after", "before"]


@pytest.mark.parametrize("then", ["deleted", "replaced"])
async def test_a_log_that_is_gone_from_its_place_takes_nothing_and_what_it_held_is_kept(
    sqlite: SqlStore, path: Path, tmp_path: Path, then: str
) -> None:
    log = Path(f"{path}-wal")
    await sqlite.put_secret("main", "before", b"x", NOW)
    _put_elsewhere(log, then)
    with pytest.raises(Unavailable, match=r"-wal was deleted or replaced .* start it again"):
        await sqlite.put_secret("main", "lost", b"x", NOW)
    with pytest.raises(Unavailable, match="-wal was deleted"):
        await sqlite.ping()
    assert _secrets_without_log(path, tmp_path / "alone.db") == ["before"]
    _put_back(log)
    await sqlite.put_secret("main", "after", b"x", NOW)
    assert [secret.name for secret in await sqlite.list_secrets("main")] == ["after", "before"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing but `stat` says where a file stands")
async def test_no_commit_asks_for_the_times_of_the_log(
    sqlite: SqlStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux would note the exact time of the next write then, and put it on the disk with the commit."""
    asked: list[str] = []
    ask = os.stat
    monkeypatch.setattr(os, "stat", lambda of, **how: asked.append(str(of)) or ask(of, **how))
    await sqlite.put_secret("main", "one", b"x", NOW)
    assert str(path) in asked
    assert f"{path}-wal" not in asked


async def test_what_the_log_held_is_kept_although_nothing_is_being_written(sqlite: SqlStore, path: Path) -> None:
    """As while the disk is full, when somebody looks for files that could go."""
    await sqlite.put_secret("main", "before", b"x", NOW)
    _put_elsewhere(path, "deleted")
    with pytest.raises(Unavailable):
        await sqlite.put_secret("main", "lost", b"x", NOW)
    _put_back(path)
    _put_elsewhere(Path(f"{path}-wal"), "deleted")
    with pytest.raises(Unavailable, match="-wal was deleted"):
        await sqlite.put_secret("main", "lost", b"x", NOW)
    assert _secrets_without_log(path, path.with_name("alone.db")) == ["before"]


async def test_what_is_withheld_is_dropped_when_the_file_is_gone_at_its_moment(sqlite: SqlStore, path: Path) -> None:
    heard: list[bool] = []
    withheld = sqlite._writer.withhold(lambda: lambda connection: facts.put(connection, "laid", "x"), heard.append)
    await withheld.written
    _put_elsewhere(path, "deleted")
    withheld.commit()
    assert (await withheld.over, heard) == (False, [False])
    _put_back(path)
    assert await sqlite._read(facts.get, "laid") is None


async def test_the_agents_own_duties_wait_for_the_moment_of_what_is_withheld(
    sqlite: SqlStore, clock: ManualClock
) -> None:
    now = clock.now()
    withheld = sqlite._writer.withhold(
        lambda: lambda connection: facts.put(connection, "laid", "x"), lambda _kept: None
    )
    await withheld.written
    duties: list[Coroutine[Any, Any, Any]] = [
        sqlite.write_judged([], 7, now),
        sqlite.prune_sentinels(now),
        sqlite.prune_events(10, now),
        sqlite.prune_audit(now, 10),
        sqlite.delete_runs([1]),
        sqlite.forget_gone_runs(["x"]),
        sqlite.delete_fires([1]),
        sqlite.delete_tokens(["x"]),
        sqlite.prune_sessions(now, now),
        sqlite.give_back_space(),
    ]
    waiting = [asyncio.ensure_future(duty) for duty in duties]
    await asyncio.sleep(0)
    withheld.commit()
    assert await withheld.over, "none of them has put it aside"
    await asyncio.gather(*waiting)
    assert await sqlite._read(facts.get, "laid") == "x"


async def test_a_file_that_goes_and_comes_back_is_noticed_while_nothing_is_written(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "LOOKS_EVERY", 0.01)
    store = await open_store(path, clock=clock, new_id=new_id)
    told: asyncio.Queue[Event] = asyncio.Queue()
    store.subscribe(lambda news: [told.put_nowait(event) for event in news] and None)
    _put_elsewhere(path, "deleted")
    gone = await told.get()
    assert (gone.id, gone.data["store"]) == (0, "refuses")
    assert "deleted or replaced" in gone.data["reason"]
    _put_back(path)
    assert [(await told.get()).data["store"] for _ in range(2)] == ["refuses", "works"]
    await store.close()


async def test_a_question_does_not_open_what_was_put_in_the_stores_place(sqlite: SqlStore, path: Path) -> None:
    _put_elsewhere(path, "replaced")
    with pytest.raises(Unavailable, match="deleted or replaced"):
        await sqlite.list_secrets("main")
    _put_back(path)
    assert await sqlite.list_secrets("main") == []


def _secrets_without_log(path: Path, copy: Path) -> list[str]:
    """What is there when the agent is killed now."""
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy)) as alone:
        assert alone.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [name for (name,) in alone.execute("SELECT name FROM secrets")]


def _put_elsewhere(path: Path, then: str) -> None:
    path.rename(path.with_name("elsewhere.db"))
    if then == "replaced":
        path.write_bytes(b"")


def _put_back(path: Path) -> None:
    path.with_name("elsewhere.db").replace(path)
