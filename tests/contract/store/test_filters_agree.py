"""The store answers a filter as `Filter.matches` does, whatever the data and the filter."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from agent.core.ports import Store
from agent.core.records import NewJob, Outcome, RunQuery, RunUpdate
from agent.store.lists import narrowing
from shared.clock import ManualClock
from shared.filters import Filter, Kind, Known, parse
from shared.filters.fields import FIELDS, Field
from shared.ids import new_id
from shared.models import Job, Run, RunError
from tests.contract.store.making import MINUTE, NOW, Maker, definition, fence, marks
from tests.harness.long import examples

WORDS = [
    "etl", "ETL nightly", "Straße", "STRASSE", "İstanbul", "ΑΣ ΑΣΑ", "100%", "a_b", "a%b", 'say "hi"', "back\\slash",
    "läuft_orders", "naïve café", "x,y", "connection refused", "Connection", "conn", "orders-db.orders", "none", "数据 同步",
]  # fmt: skip
TYPES = ["command", "kb-sync", "KB-Sync"]
KEYS = [None, "orders", "Örders", "a%b"]


@dataclass(repr=False)
class World:
    store: Store
    runs: list[Run]
    jobs: list[Job]
    known: Known


@pytest.fixture
async def world(store: Store, make: Maker, clock: ManualClock) -> World:
    """Jobs and runs of every kind and state, moved about by the store's own verbs."""
    chance = random.Random(7)
    users = {"anna-id": "anna", "bob-id": "Bob Müller"}
    for user, handle in users.items():
        await store.ensure_account("main", user, handle, NOW)
    jobs = [await _job(store, chance, number, [*users, "unknown-id"]) for number in range(24)]
    for job in jobs[::5]:
        await store.set_paused(job.id, NOW, job.next_run_at, NOW)
    for number in range(60):
        clock.set_wall(NOW + number * 7 * MINUTE)
        await make.run(
            chance.choice(jobs), now=clock.now(), cause=chance.choice(["api", "manual", "schedule", "rerun"])
        )
        await _move(store, make, chance, clock)
    page, _ = await store.list_jobs("main", limit=100)
    known = Known({job.id: job.tags for job in page}, {job.id: job.slug for job in page}, users)
    return World(store, await make.runs(limit=200), page, known)


async def _job(store: Store, chance: random.Random, number: int, owners: list[str]) -> Job:
    due = NOW + timedelta(minutes=chance.randint(-100, 100)) if chance.random() < 0.7 else None
    given = definition(
        f"{WORDS[number % len(WORDS)]} {number}",
        type=chance.choice(TYPES),
        description=" ".join(chance.sample(WORDS, 2)),
        tags=chance.sample(["dev", "Prod", "größe", "a_b", "none"], chance.randint(0, 2)),
        interval_type=(kind := chance.choice(["cron", "simple", "none"])),
        interval={"cron": "0 2 * * *", "simple": "10 minutes"}.get(kind),
        enabled=chance.random() < 0.8,
        policies={"concurrency": {"key": chance.choice(KEYS), "limit": 99}},
    )
    new = NewJob(new_id(), "main", chance.choice(owners), f"job-{number}", given, marks(due))
    return await store.insert_job(new, NOW - timedelta(days=number % 3))


async def _move(store: Store, make: Maker, chance: random.Random, clock: ManualClock) -> None:
    now = clock.now()
    if chance.random() < 0.1:
        [run] = await make.runs(limit=1)
        await store.request_cancel([run.id], chance.choice(WORDS), now, now)
    for claimed in await make.claim(*chance.sample(["w1", "W2", "wörker"], chance.randint(0, 2)), now=now):
        held = fence(claimed)
        total = chance.choice([None, 0, 3, 1000])
        await store.update_runs([RunUpdate(held, progress={"done": chance.randint(0, 1000), "total": total})], now)
        error = RunError(
            kind=chance.choice(["timeout", "Lost"]), message=" ".join(chance.sample(WORDS, 2)), fingerprint="F1"
        )
        ended = now + timedelta(seconds=chance.randint(0, 900))
        match chance.randint(0, 5):
            case 0:
                await store.finish([Outcome(held, "completed", ended, result={})], now)
            case 1:
                await store.finish([Outcome(held, "failed", ended, error=error)], now)
            case 2:
                due = ended + timedelta(days=chance.randint(0, 1))
                await store.finish([Outcome(held, "retrying", ended, error=error, retry_at=due)], now)
            case 3:
                await store.request_cancel([claimed.run.id], "anna", None, now)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_PLAIN = [word for word in WORDS if not set(word) & set(' ,"\\')]
_pieces = st.sampled_from(WORDS).flatmap(
    lambda word: st.integers(0, len(word) - 1).map(lambda start: word[start : start + 4])
)
_texts = st.one_of(
    st.sampled_from([*WORDS, *TYPES, "anna", "BOB MÜLLER", "dev", "PROD", "f1", "lost", "job-3", "w2", "cron", "0 2"]),
    _pieces,
).map(_quoted) | st.sampled_from(["none", "anna", "dev", "kb-sync", "timeout"])
_spans = st.sampled_from(["0s", "1m", "10m", "1h30m", "3h", "2d"])
_moments = st.sampled_from(
    ["2026-03-01", "2026-03-01T13:10", "2026-03-01T12:07:00Z", "2026-02-28", "today", "yesterday"]
)


def _term(field: Field) -> st.SearchStrategy[str]:
    name = st.just(field.name)
    order = st.sampled_from(["<", "<=", ">", ">=", ":<"])
    match field.sort:
        case "text":
            several = st.lists(_texts, min_size=1, max_size=2).map(",".join)
            contained = _texts.filter(lambda text: text != "none")
            return st.one_of(st.tuples(name, st.just(":"), several), st.tuples(name, st.just(":~"), contained)).map(
                "".join
            )
        case "choice":
            several = st.lists(st.sampled_from(field.choices), min_size=1, max_size=2).map(",".join)
            return st.tuples(name, st.just(":"), several).map("".join)
        case "flag":
            return st.tuples(name, st.sampled_from([":yes", ":no"])).map("".join)
        case "number":
            numbers = st.sampled_from(["0", "1", "2", "33.333", "50%", "100"])
            return st.one_of(st.tuples(name, order, numbers), st.tuples(name, st.just(":"), numbers)).map("".join)
        case "span":
            return st.one_of(st.tuples(name, order, _spans), st.tuples(name, st.just(":none"))).map("".join)
        case _:
            exact = st.tuples(name, st.just(":"), _moments | st.just("none"))
            return st.one_of(st.tuples(name, order, _spans | _moments), exact).map("".join)


def _filters(kind: Kind) -> st.SearchStrategy[str]:
    fields = st.sampled_from(list(FIELDS[kind].values())).flatmap(_term)
    words = st.one_of(
        st.sampled_from(_PLAIN),
        st.sampled_from(WORDS).map(_quoted),
        st.sampled_from(["con", "stra", "ref", "lauft", "同", "nightly", "anna"]),
    )
    negated = st.tuples(st.sampled_from(["", "-"]), fields | words).map("".join)
    return st.lists(negated, min_size=1, max_size=3).map(" ".join)


_some = examples(40, HealthCheck.function_scoped_fixture)


def _expected(where: Filter, items: list[Any], now: Any, known: Known) -> set[str]:
    return {item.id for item in items if where.matches(item, now, known)}


@pytest.fixture(params=[narrowing.FEW_RUNS, 0], ids=["by the few", "by all"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to read a page have to come to the same."""
    monkeypatch.setattr(narrowing, "FEW_RUNS", request.param)


@pytest.mark.usefixtures("way")
@_some
@given(text=_filters("run"))
async def test_runs(world: World, clock: ManualClock, text: str) -> None:
    where = parse(text, "run")
    found = await world.store.list_runs(RunQuery("main", where, limit=200))
    assert {run.id for run in found} == _expected(where, world.runs, clock.now(), world.known)
    assert sum((await world.store.count_by_state("main", where)).values()) == len(found)


@_some
@given(text=_filters("job"))
async def test_jobs(world: World, clock: ManualClock, text: str) -> None:
    where = parse(text, "job")
    found, total = await world.store.list_jobs("main", limit=100, where=where)
    assert {job.id for job in found} == _expected(where, world.jobs, clock.now(), world.known)
    assert total == len(found)


@pytest.mark.parametrize(
    "text", ["id:{}", "-id:{}", "id:{},none", "id:none", "-id:none", "id:{},zzz state:failed", "id:~{}"]
)
async def test_ids(world: World, clock: ManualClock, text: str) -> None:
    """Of several, of nobody, in any letter case; the rows of others are not among them."""
    several = ",".join(run.id.upper() for run in world.runs[::9]) if "~" not in text else world.runs[0].id[-3:]
    runs = parse(text.format(several), "run")
    found = await world.store.list_runs(RunQuery("main", runs, limit=200))
    assert {run.id for run in found} == _expected(runs, world.runs, clock.now(), world.known)
    several = ",".join(job.id for job in world.jobs[::5]) if "~" not in text else world.jobs[0].id[-3:]
    jobs = parse(text.replace(" state:failed", " enabled:yes").format(several), "job")
    page, total = await world.store.list_jobs("main", limit=100, where=jobs)
    assert {job.id for job in page} == _expected(jobs, world.jobs, clock.now(), world.known)
    assert total == len(page)


async def test_letter_case_beyond_ascii(world: World, clock: ManualClock) -> None:
    for text in ('owner:"BOB MÜLLER"', 'key:"ÖRDERS"', 'tag:"GRÖßE"', 'error:~"LÄUFT"', 'worker:"WÖRKER"'):
        where = parse(text, "run")
        found = await world.store.list_runs(RunQuery("main", where, limit=200))
        assert {run.id for run in found} == _expected(where, world.runs, clock.now(), world.known) != set(), text


async def test_the_data_is_worth_asking(world: World, clock: ManualClock) -> None:
    """Every field has a filter that some of the runs match and some do not; else the tests above show little."""
    for text in (
        "state:failed", "state:retrying", "state:cancelling", "state:cancelled", "type:kb-sync", "tag:dev", "dur>5m",
        "started<1h", "attempt>1", "cause:rerun", "error:timeout", "error:none", "owner:anna", "progress>50", "worker:w2",
        "key:orders", "key:none", "finished:none", "con", '"connection refused"', "name:~İ",
    ):  # fmt: skip
        count = len(_expected(parse(text, "run"), world.runs, clock.now(), world.known))
        assert 0 < count < len(world.runs), text
