"""The record of what was done: rows written in the transaction of what they tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from agent.core.permissions.audit import Acting
from agent.core.permissions.callers import Caller
from agent.core.records import AuditQuery, NewRefusal, NewRun
from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.runs import runs
from agent.store.tables import audit, connections, datasets, drafts, jobs, knowledge_bases, tokens, users
from agent.store.tables import runs as job_runs
from shared.ids import is_id
from shared.models import Run
from shared.models.audit import AuditEntry

T = TypeVar("T")
LISTED = 20
"""Most rows of one kind that a single write leaves; what changed more at once is one row with a count."""
PRUNED_AT_ONCE = 1000

_COLUMNS = tuple(column.name for column in audit.c if column.name != "number")
_INSERT = Prepared(sa.insert(audit), _COLUMNS)


def done(connection: sa.Connection, who: Acting, now: datetime, write: Callable[..., T], args: Sequence[Any]) -> T:
    """Write, and a row for each thing that was changed; for a write that tells nothing, one for what was named."""
    place = events.mark(connection)
    result = write(connection, *args)
    told = events.since(connection, place)
    rows = _named(connection, _rows(who, now, told)) if told else [_row(who, now, **_named_in_path(connection, who))]
    _INSERT.each(connection, rows)
    return result


def insert_runs(connection: sa.Connection, given: Sequence[tuple[NewRun, Acting]], now: datetime) -> list[Run]:
    """Runs that callers ask for; those of several callers at once."""
    created = runs.insert_asked(connection, [run for run, _ in given], now)
    by = zip(created, given, strict=True)
    _INSERT.each(connection, [_of_run(who, now, run) for run, (_, who) in by])
    return created


def insert_refusal(connection: sa.Connection, refusal: NewRefusal, now: datetime) -> int:
    who = Acting(refusal.caller, refusal.act, refusal.subject)
    subject = _named_in_path(connection, who)
    row = _row(who, now, **subject, outcome="refused", reason=refusal.reason)
    number: int = connection.execute(sa.insert(audit).values(row).returning(audit.c.number)).scalar_one()
    return number


def count_refusals(connection: sa.Connection, number: int, count: int, last_at: datetime) -> None:
    connection.execute(sa.update(audit).where(audit.c.number == number).values(count=count, last_at=last_at))


def is_of_others(connection: sa.Connection, account_id: str, ids: Sequence[str]) -> bool:
    """Whether one of them is the id of what belongs to another account."""
    found = [
        sa.exists().where(table.c.id.in_(ids), table.c.account_id != account_id)
        for table in (jobs, job_runs, connections, knowledge_bases, datasets, drafts)
    ]
    return bool(connection.scalar(sa.select(sa.or_(*found))))


def list_page(connection: sa.Connection, account_id: str, query: AuditQuery) -> list[AuditEntry]:
    """Newest first; or, behind `after`, those next to it, newest first too."""
    statement = sa.select(audit).where(audit.c.account_id == account_id, *_conditions(query)).limit(query.limit)
    upwards = query.after is not None and query.before is None
    statement = statement.order_by(audit.c.number if upwards else audit.c.number.desc())
    found = [AuditEntry.model_validate(row) for row in connection.execute(statement).mappings()]
    return found[::-1] if upwards else found


def prune(connection: sa.Connection, before: datetime, keep_refusals: int) -> int:
    """Delete what is older, and refusals beyond the newest `keep_refusals`; a part of them. Returns how many went."""
    old = sa.select(audit.c.number).where(audit.c.at < before).order_by(audit.c.at).limit(PRUNED_AT_ONCE)
    refused = sa.select(audit.c.number).where(audit.c.outcome == "refused").order_by(audit.c.number.desc())
    surplus = refused.limit(PRUNED_AT_ONCE).offset(keep_refusals)
    gone = 0
    for which in (old, surplus):
        numbers = list(connection.scalars(which))
        if numbers:
            gone += connection.execute(sa.delete(audit).where(audit.c.number.in_(numbers))).rowcount
    return gone


def _conditions(query: AuditQuery) -> Iterable[sa.ColumnElement[bool]]:
    for name, condition in _WANTED.items():
        value = getattr(query, name)
        if value is not None:
            yield condition(value)


def _either(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> Callable[[Any], sa.ColumnElement[bool]]:
    return lambda value: sa.or_(one == value, other == value)


_WANTED: Mapping[str, Callable[[Any], sa.ColumnElement[bool]]] = {
    "user": _either(audit.c.user_id, audit.c.handle),
    "subject": _either(audit.c.subject_id, audit.c.subject_name),
    "act": _either(audit.c.act, audit.c.event),
    "outcome": lambda value: audit.c.outcome == value,
    "since": lambda value: audit.c.last_at >= value,
    "until": lambda value: audit.c.at <= value,
    "before": lambda value: audit.c.number < value,
    "after": lambda value: audit.c.number > value,
}


def _rows(who: Acting, now: datetime, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in told:
        kinds[event["kind"]].append(event)
    rows = []
    for kind, same in kinds.items():
        if len(same) > LISTED:
            rows.append(_row(who, now, event=kind, subject_id=who.subject, count=len(same)))
        else:
            rows += [_row(who, now, event=kind, **_subject(event)) for event in same]
    return rows


def _named(connection: sa.Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What events tell by its id alone, by its name: listeners hear nothing of what a draft says. One that this very write
    deleted has none any more."""
    for row in rows:
        query = _NAMES.get(row["event"] or "")
        if query is not None and row["count"] == 1:
            row["subject_name"] = _name_in(connection.scalar(query, {"subject": row["subject_id"]}))
        elif row["subject_name"] is None and row["count"] == 1:
            row["subject_name"] = _name_of(connection, row["subject_id"], row["account_id"])
    return rows


_NAMES: Mapping[str, sa.Select[Any]] = {
    kind: sa.select(name).where(name.table.c.id == sa.bindparam("subject"))
    for kind, name in (
        ("token.changed", tokens.c.name),
        ("draft.changed", drafts.c.definition),
        ("connection.changed", connections.c.name),
        ("knowledge_base.changed", knowledge_bases.c.name),
        ("user.changed", users.c.handle),
    )
}


def _named_in_path(connection: sa.Connection, who: Acting) -> dict[str, Any]:
    """What a request names, with its name if that is an id; of what is another account's nothing is told."""
    return {"subject_id": who.subject, "subject_name": _name_of(connection, who.subject, who.caller.account_id)}


def _name_of(connection: sa.Connection, subject: str, account_id: str) -> str | None:
    return connection.scalar(_NAME_OF, {"subject": subject, "account": account_id}) if is_id(subject) else None


_mine = {"subject": sa.bindparam("subject", type_=sa.Text), "account": sa.bindparam("account", type_=sa.Text)}
_NAME_OF = sa.union_all(
    *(
        sa.select(table.c.name).where(table.c.id == _mine["subject"], table.c.account_id == _mine["account"])
        for table in (jobs, connections, knowledge_bases, datasets)
    ),
    sa.select(jobs.c.name)
    .join(job_runs, job_runs.c.job_number == jobs.c.number)
    .where(job_runs.c.id == _mine["subject"], job_runs.c.account_id == _mine["account"]),
)


def _name_in(found: Any) -> str | None:
    name = found.get("name") if isinstance(found, dict) else found
    return name if isinstance(name, str) and name else None


def _subject(event: dict[str, Any]) -> dict[str, Any]:
    data = event["data"]
    name = data.get("name") or data.get("jobName") or data.get("handle")
    revision = data.get("revision")
    return {
        "subject_id": event["subject_id"],
        "subject_name": name if isinstance(name, str) and name else None,
        "revision": revision if isinstance(revision, int) else None,
    }


def _of_run(who: Acting, now: datetime, run: Run) -> dict[str, Any]:
    return _row(who, now, event="run.created", subject_id=run.id, subject_name=run.job_name, revision=run.revision)


def _row(who: Acting, now: datetime, **said: Any) -> dict[str, Any]:
    given = {"event": None, "subject_name": None, "revision": None, "reason": None, "outcome": "done", "count": 1}
    return {"at": now, "last_at": now, "act": who.act, **_caller(who.caller), **given, **said}


def _caller(caller: Caller) -> dict[str, Any]:
    names = ("account_id", "user_id", "handle", "via", "token_id", "address", "client")
    return {name: getattr(caller, name) for name in names}
