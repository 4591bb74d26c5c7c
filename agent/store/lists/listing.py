"""Pages of runs for machines: by state, by knowledge base, by age, from the newest down.

Each way to the page is one that an index has in the order of the page, so that what it costs does not grow with how
many runs there are: state by state, merged; or, where of so many runs a knowledge base has few, those of its jobs; or the
ends of the runs of those jobs that the caller sees. Machines ask often: the statements are made once for each shape of a question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from agent.core.ports.listing import ListedRun, ListingQuery
from agent.store.engine.prepared import Lookup, Prepared, Row
from agent.store.jobs.uses import KNOWLEDGE_BASE
from agent.store.lists import asked
from agent.store.lists.newest import ends, sees_few
from agent.store.permissions.visibility import reads
from agent.store.tables import accounts, job_counts, job_uses, knowledge_bases, run_counts, runs, users
from shared.errors import NotFound
from shared.states import RunState

FEW_JOBS = 500
"""Of some knowledge bases: gathered sooner than each run is asked for its own."""
MANY_RUNS = 20_000
"""In the states that are asked for: fewer are walked down sooner than it is found out how many are of some jobs."""

_STATES = {str(state): state for state in RunState}
_shown = runs.alias("shown")
_LISTED = sa.select(
    _shown.c.number, _shown.c.id, _shown.c.type, _shown.c.state, _shown.c.created_at, _shown.c.started_at,
    _shown.c.finished_at, _shown.c.job_number, _shown.c.revision, users.c.handle,
).select_from(_shown.outerjoin(users, users.c.id == _shown.c.owner_id))  # fmt: skip
_BASES = Lookup(
    sa.select(job_uses.c.job_number, job_uses.c.revision, knowledge_bases.c.number, job_uses.c.name)
    .join(
        knowledge_bases,
        sa.and_(knowledge_bases.c.account_id == job_uses.c.account_id, knowledge_bases.c.name == job_uses.c.name),
    )
    .where(job_uses.c.kind == KNOWLEDGE_BASE)
    .order_by(knowledge_bases.c.number),
    job_uses.c.job_number,
)
_NAMED = sa.select(knowledge_bases.c.name, knowledge_bases.c.account_id)
_BY_NUMBER, _BY_NAME = Lookup(_NAMED, knowledge_bases.c.number), Lookup(_NAMED, knowledge_bases.c.name)
_ROW_COUNT = asked.count("row_count")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement asks for; `names`: of how many knowledge bases, `gathered`: their jobs come before the runs,
    `few`: and lead to them; `ends`: by those that the user sees."""

    states: int | None
    names: int
    gathered: bool
    few: bool
    since: bool
    before: bool
    run: bool
    seen: bool
    ends: bool


def page(connection: sa.Connection, query: ListingQuery) -> list[ListedRun]:
    names = _base_names(connection, query)
    if names == [] or query.states == ():
        return []
    shape, given = _asked(connection, query, names or ())
    shown = _statement(shape).rows(connection, given)
    bases = _bases(connection, shown)
    return [_listed(row, bases[row["job_number"], row["revision"]]) for row in shown]


def account_number(connection: sa.Connection, account_id: str) -> int:
    number = connection.scalar(sa.select(accounts.c.number).where(accounts.c.id == account_id))
    if number is None:
        raise NotFound(f"there is no account '{account_id}'")
    return int(number)


def _base_names(connection: sa.Connection, query: ListingQuery) -> list[str] | None:
    """Of the knowledge bases that the caller names and that there are; None: it names none."""
    if query.base_numbers is not None:
        rows = _BY_NUMBER.rows(connection, query.base_numbers)
    elif query.base_names is not None:
        rows = _BY_NAME.rows(connection, query.base_names)
    else:
        return None
    return [row["name"] for row in rows if row["account_id"] == query.account_id]


def _asked(connection: sa.Connection, query: ListingQuery, names: Sequence[str]) -> tuple[_Shape, dict[str, Any]]:
    count = len(_padded(names))
    given: dict[str, Any] = {
        "account": query.account_id,
        "seen_by": query.seen_by,
        "before_number": query.before,
        "run": query.run_id,
        "row_count": query.limit,
        **asked.listed("wanted_state", query.states or ()),
        **asked.listed("base_name", _padded(names)),
        **asked.since(connection, query.since),
    }
    states = None if query.states is None else len(query.states)
    gathered, many = _size(connection, given, count, states) if names else (False, False)
    shape = _Shape(
        states=states,
        names=count,
        gathered=gathered,
        few=many and _have_few_runs(connection, given, count),
        since="since" in given,
        before=query.before is not None,
        run=query.run_id is not None,
        seen=query.seen_by is not None,
        ends=not names and query.run_id is None and sees_few(connection, query.account_id, query.seen_by, query.limit),
    )
    return shape, given


@lru_cache(maxsize=512)
def _statement(shape: _Shape) -> Prepared:
    """The numbers come first, mostly from indexes alone: of each state the newest, and of these the newest."""
    states = (None,) if shape.states is None else tuple(f"wanted_state_{number}" for number in range(shape.states))
    parts = [sa.select(_newest(shape, state).subquery().c.number) for state in states]
    newest = _LISTED.where(_shown.c.number.in_(sa.union_all(*parts) if len(parts) > 1 else parts[0]))
    return Prepared(newest.order_by(_shown.c.number.desc()).limit(_ROW_COUNT))


def _newest(shape: _Shape, state: str | None) -> sa.Select[int]:
    """`state`: the parameter that says which; None: of all."""
    if shape.ends:
        return ends(asked.text("account"), asked.text("seen_by"), _ROW_COUNT, lambda table: _among(table, shape, state))
    conditions = _among(runs, shape, state)
    if shape.few:  # their jobs are of the account: were it asked again, SQLite would go down all its runs of the state
        conditions.append(runs.c.job_number.in_(_jobs_with(shape.names, seen=shape.seen)))
    else:
        conditions += asked.of_account(seen=shape.seen)
    if shape.run:
        conditions.append(runs.c.id == asked.text("run"))
    if shape.gathered and not shape.few:  # most runs are of other jobs: an index says so, and their rows are not read
        conditions.append((runs.c.job_number + sa.literal_column("0")).in_(_jobs_with(shape.names, seen=False)))
    if shape.names:
        conditions.append(_works_with(shape.names))
    return sa.select(runs.c.number).where(*conditions).order_by(runs.c.number.desc()).limit(_ROW_COUNT)


def _among(table: sa.FromClause, shape: _Shape, state: str | None) -> list[sa.ColumnElement[bool]]:
    conditions = [] if state is None else [table.c.state == asked.text(state)]
    if shape.before:
        conditions.append(table.c.number < asked.count("before_number"))
    return [*conditions, *(asked.young(table) if shape.since else ())]


def _works_with(names: int) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(
            job_uses.c.job_number == runs.c.job_number,
            job_uses.c.revision == runs.c.revision,
            job_uses.c.kind == KNOWLEDGE_BASE,
            asked.among(job_uses.c.name, "base_name", names),
        )
        .correlate(runs)
    )


def _jobs_with(names: int, *, seen: bool) -> sa.Select[Any]:
    """The jobs that ever worked with them, once for each revision; where a user asks, of those that it sees."""
    named = asked.among(job_uses.c.name, "base_name", names)
    conditions = [job_uses.c.account_id == asked.text("account"), job_uses.c.kind == KNOWLEDGE_BASE, named]
    if seen:
        conditions.append(reads(asked.text("seen_by"), job_uses.c.account_id, job_uses.c.job_number))
    return sa.select(job_uses.c.job_number).where(*conditions)


def _size(connection: sa.Connection, given: dict[str, Any], names: int, states: int | None) -> tuple[bool, bool]:
    """Whether the jobs with these knowledge bases are few, and whether the runs among which theirs are sought are many."""
    [found] = _sizing(names, states).rows(connection, given)
    return found["uses"] <= FEW_JOBS, (found["over"] or 0) > MANY_RUNS


@lru_cache(maxsize=64)
def _sizing(names: int, states: int | None) -> Prepared:
    """Of the runs, those that are over: they are counted already, and the others are few."""
    mine = [run_counts.c.account_id == asked.text("account")]
    if states is not None:
        mine.append(asked.among(run_counts.c.state, "wanted_state", states))
    over = sa.select(sa.func.sum(run_counts.c.count)).where(*mine).scalar_subquery()
    some = _jobs_with(names, seen=False).limit(sa.literal_column(str(FEW_JOBS + 1)))
    uses = sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery()
    return Prepared(sa.select(over.label("over"), uses.label("uses")))


def _have_few_runs(connection: sa.Connection, given: dict[str, Any], names: int) -> bool:
    """Whether the jobs are few and have few runs: then these are looked through, sooner than all there are."""
    [found] = _counting(names, seen=given["seen_by"] is not None).rows(connection, given)
    return bool(found["jobs"] <= FEW_JOBS and (found["runs"] or 0) <= asked.FEW_RUNS)


@lru_cache(maxsize=64)
def _counting(names: int, *, seen: bool) -> Prepared:
    """Of the runs, those that are over: they are counted already, and the others are few."""
    some = _jobs_with(names, seen=seen).distinct().limit(sa.literal_column(str(FEW_JOBS + 1)))
    jobs_there = sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery()
    theirs = sa.select(sa.func.sum(job_counts.c.count)).where(job_counts.c.job_number.in_(some)).scalar_subquery()
    return Prepared(sa.select(jobs_there.label("jobs"), theirs.label("runs")))


def _bases(connection: sa.Connection, rows: Sequence[Row]) -> defaultdict[tuple[int, int], list[tuple[int, str]]]:
    """By job and revision."""
    found: defaultdict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
    for row in _BASES.rows(connection, {row["job_number"] for row in rows}):
        found[row["job_number"], row["revision"]].append((row["number"], row["name"]))
    return found


def _listed(row: Row, bases: Sequence[tuple[int, str]]) -> ListedRun:
    return ListedRun(
        number=row["number"],
        id=row["id"],
        type=row["type"],
        state=_STATES[row["state"]],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        owner=row["handle"],
        bases=tuple(bases),
    )


def _padded(names: Sequence[str]) -> Sequence[str]:
    """As many as the next power of two, the last said again: few statements serve all numbers of names."""
    if not names:
        return names
    size = 1 << (len(names) - 1).bit_length()
    return [*names, *[names[-1]] * (size - len(names))]
