"""What must be true after any storm, read from the files that the agent left."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from shared.schedule import ScheduleSpec, compile_schedule
from shared.states import FINAL, MOVES, RunState
from tests.acceptance.storm.jobs import COMMANDS
from tests.acceptance.storm.storm import Storm
from tests.harness.knowledge import known_texts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 100_000
_AGREE = {"started", "skipped", "coalesced", "missed", "paused"}

Row = dict[str, Any]


@dataclass
class Store:
    """The agent's own tables, each as plain rows."""

    jobs: list[Row]
    fires: list[Row]
    runs: list[Row]
    attempts: list[Row]
    steps: list[Row]
    workers: list[Row]
    events: list[Row]

    def of(self, job: Row, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["job_number"] == job["number"]]


def assert_kept(storm: Storm) -> Store:
    """Every promise; the storm is calm and its agent stopped."""
    data_dir = storm.agent.data_dir
    store = _read_store(data_dir / "jobdeck.db")
    _assert_knowledge_equals_source(storm, data_dir)
    for job in store.jobs:
        _assert_ledger(job, store)
    _assert_runs(store)
    _assert_queue(store)
    _assert_book(storm, store)
    _assert_events(storm, store)
    assert storm.marked() == set(), "processes are left"
    assert storm.survivors() == []
    assert [folder.name for folder in (data_dir / "scratch").iterdir()] == []
    return store


def _read_store(path: Path) -> Store:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        names = ("jobs", "fires", "runs", "attempts", "steps", "workers", "events")
        return Store(*(_rows(database, f"SELECT * FROM {name} ORDER BY 1") for name in names))


def _rows(database: sqlite3.Connection, query: str) -> list[Row]:
    cursor = database.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _assert_knowledge_equals_source(storm: Storm, data_dir: Path) -> None:
    found, promised = known_texts(data_dir), storm.shop.promised()
    wrong = {key for key in found | promised if found.get(key) != promised.get(key)}
    assert not wrong, f"{len(wrong)} of {len(promised)} rows are not as in the source, such as {sorted(wrong)[:5]}"


def _assert_ledger(job: Row, store: Store) -> None:
    """Each due moment has exactly one row; each `started` row its run, each `coalesced` one a row that stands for it."""
    definition = json.loads(job["definition"])
    spec = ScheduleSpec("simple", definition["interval"], anchor=_moment(job["created_at"]))
    schedule = compile_schedule(spec)
    due = schedule.between(_moment(job["created_at"]), _moment(job["high_water"]), _MOST)
    fires = store.of(job, store.fires)
    assert {fire["outcome"] for fire in fires} <= _AGREE
    covered = [moment for fire in fires for moment in _covered(fire, schedule.between)]
    assert sorted(covered) == due, f"{definition['name']}: {_difference(covered, due)}"
    started = {fire["fire_at"]: fire["run_id"] for fire in fires if fire["outcome"] == "started"}
    fired = [(run["fire_at"], run["id"]) for run in store.of(job, store.runs) if run["cause"] != "manual"]
    assert sorted(fired) == sorted(started.items())
    for fire in fires:
        assert fire["stands_in_fire_at"] in ({None} if fire["outcome"] != "coalesced" else started)


def _covered(fire: Row, between: Any) -> list[datetime]:
    first = _moment(fire["fire_at"])
    if fire["until"] is None:
        assert fire["count"] == 1
        return [first]
    moments: list[datetime] = between(first - timedelta(microseconds=1), _moment(fire["until"]), _MOST)
    assert len(moments) == fire["count"]
    return moments


def _difference(covered: list[datetime], due: list[datetime]) -> str:
    twice = [moment for moment, times in Counter(covered).items() if times > 1]
    return f"twice {twice[:5]}, without a row {sorted(set(due) - set(covered))[:5]}, not due {sorted(set(covered) - set(due))[:5]}"


def _assert_runs(store: Store) -> None:
    """All over, each with its attempts in a row, the last of which ended as the run did."""
    attempts: dict[int, list[Row]] = defaultdict(list)
    for attempt in sorted(store.attempts, key=lambda each: each["attempt"]):
        attempts[attempt["run_number"]].append(attempt)
    for run in store.runs:
        assert run["state"] in FINAL, run
        assert run["lease_until"] is None
        mine = attempts[run["number"]]
        assert [each["attempt"] for each in mine] == list(range(1, run["attempt"] + 1)), run
        assert all(each["ended_at"] is not None for each in mine), run
        assert {each["outcome"] for each in mine[:-1]} <= {"retrying"}, run
        assert not mine or mine[-1]["outcome"] in ({run["state"]} | _interrupted(run)), run
        assert (run["state"] == "failed") == (run["error_kind"] is not None and run["state"] != "cancelled"), run
        if run["state"] == "completed":
            assert run["result"] is not None, run
    assert [step for step in store.steps if step["state"] == "running" or step["finished_at"] is None] == []
    assert len({worker["agent_id"] for worker in store.workers}) == 1, "workers of dead agents are shown"


def _interrupted(run: Row) -> set[str]:
    """Cancelled while it waited for its next attempt."""
    return {"retrying"} if run["state"] == "cancelled" else set()


def _assert_queue(store: Store) -> None:
    """Runs of a job that queues, or is not to overlap, never ran side by side."""
    numbers = {job["number"]: job["name"] for job in store.jobs if job["name"] != "allow"}
    owner = {run["number"]: run["job_number"] for run in store.runs}
    for number, name in numbers.items():
        mine = [each for each in store.attempts if owner[each["run_number"]] == number]
        for before, after in pairwise(sorted(mine, key=lambda each: each["claimed_at"])):
            assert before["ended_at"] <= after["claimed_at"], f"{name}: side by side: {before} {after}"


def _assert_book(storm: Storm, store: Store) -> None:
    """What ran is what the store says: no attempt ran twice, none that is not known, `fail` never started again."""
    begun, ended = storm.book.begun(), storm.book.ended()
    known = {run["id"]: run for run in store.runs}
    assert set(begun.values()) <= {1}, "an attempt ran twice"
    names = {job["number"]: job["name"] for job in store.jobs}
    for run_id, attempt in begun:
        assert attempt <= known[run_id]["attempt"]
    # An attempt whose worker died before it took the run has not begun: the next may, whatever the policy.
    for run_id, times in Counter(run_id for run_id, _ in begun).items():
        assert times == 1 or COMMANDS[names[known[run_id]["job_number"]]]["on_lost"] == "retry"
    for run in store.runs:
        if run["state"] == "completed" and run["type"] == "command":
            assert ended[run["id"], run["attempt"]] == 1, run


def _assert_events(storm: Storm, store: Store) -> None:
    """The listener was told every event exactly once, in order, as it is stored, and never a move that is none."""
    told = storm.listener.told
    assert storm.listener.resets == 0
    assert all(before["id"] < after["id"] for before, after in pairwise(told)), "ids do not strictly increase"
    assert [event["id"] for event in told] == [event["id"] for event in store.events][: len(told)]
    for heard, stored in zip(told, store.events, strict=False):
        assert (heard["kind"], heard["data"]) == (stored["kind"], json.loads(stored["data"]))
    states: dict[str, RunState] = {}
    for subject, state in _states(store.events):
        before = states.setdefault(subject, state)
        assert state == before or state in MOVES[before], f"run {subject}: {before} became {state}"
        states[subject] = state
    assert {run["id"]: run["state"] for run in store.runs} == states


def _states(events: Iterable[Row]) -> Iterable[tuple[str, RunState]]:
    for event in events:
        if event["kind"] in ("run.created", "run.changed"):
            yield event["subject_id"], RunState(json.loads(event["data"])["state"])


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
