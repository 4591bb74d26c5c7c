"""A run from a table to a knowledge base: `synchronise` (kb-sync) and `reset` (kb-reset)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from agent.core.driving import DriverError, RunCancelled, RunContext
from agent.resources.connections import look_up, open_source
from agent.resources.knowledge.opening import OpenedBase, opened_base
from agent.resources.knowledge.shares import Share, ShareIdentity, begin_share, find_share, purge_dead, swap_in
from agent.resources.knowledge.sync.counts import Counts
from agent.resources.knowledge.sync.intake import Intake
from agent.resources.knowledge.sync.parameters import (
    ResetParameters,
    SyncParameters,
    TableParameters,
    TableReset,
    TableSync,
)
from agent.resources.knowledge.sync.plan import Plan, make_plan
from agent.resources.knowledge.sync.source import TableSource
from agent.resources.knowledge.sync.streams import of_each
from agent.resources.knowledge.sync.values import plain
from shared.errors import InvalidInput

TELL_SECONDS = 1.0
"""How often a step under way says what was committed."""


def synchronise(context: RunContext, parameters: SyncParameters) -> dict[str, Any]:
    """Bring in what is new, or what differs, of each table."""
    return of_each(context, parameters.tables(), _synchronise, several=parameters.streams is not None)


def reset(context: RunContext, parameters: ResetParameters) -> dict[str, Any]:
    """Make the content of each table anew, or empty it."""
    return of_each(context, parameters.tables(), _reset, several=parameters.streams is not None)


def _synchronise(context: RunContext, parameters: TableSync) -> dict[str, Any]:
    """Bring in what is new (`watermark`) or what differs (`full`). A share whose key columns or embedder are no
    longer the job's is built anew aside and swapped in."""
    with _opened(context, parameters) as work:
        live = find_share(work.opened.base, work.identity.origin, "live")
        if live and live.identity != work.identity:
            context.log("the key columns or the embedder changed: the content is made anew, aside")
            return _build_aside(work)
        share = live or begin_share(work.opened.base, work.identity, "live", context.run_id, context.clock.now())
        intake = work.intake(share)
        with work.counting("read", f"Read {work.identity.origin}, embed and store what changed", intake):
            if parameters.compare == "full":
                intake.bring_in_everything()
            else:
                intake.bring_in_changes(parameters.parsed_lag())
        return work.result(intake)


def _reset(context: RunContext, parameters: TableReset) -> dict[str, Any]:
    """Make the origin's content anew; until the last step, searches see what was there before."""
    with _opened(context, parameters) as work:
        if parameters.mode == "clear":
            return _clear(work)
        live = find_share(work.opened.base, work.identity.origin, "live")
        if parameters.mode == "refresh" and live and live.identity == work.identity:
            intake = work.intake(live, again=True)
            with work.counting("read", f"Read every row of {work.identity.origin} again", intake):
                intake.bring_in_changes(None)
            return work.result(intake)
        return _build_aside(work)


@dataclass(slots=True)
class _Work:
    """What a run holds while it has the writer lock."""

    context: RunContext
    parameters: TableParameters
    opened: OpenedBase
    source: TableSource
    plan: Plan
    identity: ShareIdentity
    started: float
    without_filter: int = 0

    def intake(self, share: Share, *, again: bool = False) -> Intake:
        writer = self.opened.writer(share)
        return Intake(self.context, self.source, writer, self.plan, self.parameters.batch_size, again=again)

    @contextmanager
    def counting(self, key: str, title: str, intake: Intake) -> Iterator[None]:
        """A step that says, however it ends, what was committed for searches to find."""
        with self.context.step(key, title) as step:
            told_at = self.context.clock.monotonic()

            def tell(counts: Counts) -> None:
                nonlocal told_at
                step.result(self.committed(counts))
                if self.context.clock.monotonic() - told_at >= TELL_SECONDS:
                    told_at = self.context.clock.monotonic()
                    step.message(f"{counts.rows_synced} rows synced")

            intake.heard = tell
            try:
                yield
            finally:
                intake.heard = None
                step.result(self.committed(intake.counts))

    def committed(self, counts: Counts) -> dict[str, Any]:
        return {"origin": self.identity.origin, **counts.as_result()}

    def result(self, intake: Intake) -> dict[str, Any]:
        seconds = max(self.context.clock.monotonic() - self.started, 1e-6)
        counts = intake.counts
        self.context.log(
            f"{counts.rows_synced} rows synced of {counts.rows_seen} seen, {counts.rows_unchanged} unchanged,"
            f" {counts.rows_deleted} deleted, {counts.embedded} embedded"
        )
        return {
            **counts.as_result(),
            "rows_null_filter": self.without_filter,
            "watermark": plain(intake.watermark),
            "rows_per_second": round(counts.rows_seen / seconds, 1),
        }


@contextmanager
def _opened(context: RunContext, parameters: TableParameters) -> Iterator[_Work]:
    started = context.clock.monotonic()
    grant = context.connection(parameters.connection)
    target = context.knowledge_base(parameters.knowledge_base)
    with context.step("inspect", f"Inspect {parameters.source_table}"):
        table = look_up(grant, parameters.table)
        plan = _planned(parameters, table)
        engine = open_source(grant.url, grant.query_seconds)
    source = TableSource(engine, grant.name, grant.url, table, plan)
    try:
        with opened_base(context, target) as opened:
            origin = f"{grant.name}.{table.full_name}"
            identity = ShareIdentity(origin, opened.embedder.name, opened.embedder.dimensions, plan.keys)
            work = _Work(context, parameters, opened, source, plan, identity, started)
            _survey(work)
            yield work
    finally:
        engine.dispose()


def _planned(parameters: TableParameters, table: Any) -> Plan:
    try:
        return make_plan(parameters, table)
    except InvalidInput as refusal:
        fault = refusal.faults[0]
        raise DriverError(fault.code if fault.code != "invalid" else "parameters", refusal.message) from None


def _survey(work: _Work) -> None:
    if not work.plan.filter_indexed:
        work.context.log(f"no index begins with '{work.plan.filter}': every batch reads the whole table")
    work.source.check_keys()
    work.without_filter = work.source.count_without_filter()
    if work.without_filter:
        rows = "1 row has" if work.without_filter == 1 else f"{work.without_filter} rows have"
        whole = isinstance(work.parameters, TableSync) and work.parameters.compare == "full"
        fate = "only a full comparison sees them" if whole else "they are left out"
        work.context.warn(f"{rows} no value in '{work.plan.filter}' of {work.identity.origin}: {fate}")


def _build_aside(work: _Work) -> dict[str, Any]:
    share = _building(work)
    intake = work.intake(share)
    with work.context.step("read", f"Read {work.identity.origin} into new content, aside"):
        if isinstance(work.parameters, TableSync) and work.parameters.compare == "full":
            intake.bring_in_everything()
        else:
            intake.bring_in_changes(None)
    with work.context.step("swap", "Swap the new content in") as step:
        work.context.check_cancelled()
        swap_in(work.opened.base, share)
        step.result(work.committed(intake.counts))
        _clear_away(work)
    return work.result(intake)


def _building(work: _Work) -> Share:
    """The share that this very run began before it was interrupted, else a new one."""
    found = find_share(work.opened.base, work.identity.origin, "building")
    if found and found.identity == work.identity and found.made_by == work.context.run_id:
        return found
    return begin_share(work.opened.base, work.identity, "building", work.context.run_id, work.context.clock.now())


def _clear(work: _Work) -> dict[str, Any]:
    live = find_share(work.opened.base, work.identity.origin, "live")
    removed = live.count(work.opened.base) if live else 0
    share = begin_share(work.opened.base, work.identity, "building", work.context.run_id, work.context.clock.now())
    with work.context.step("swap", f"Empty the content of {work.identity.origin}"):
        swap_in(work.opened.base, share)
        _clear_away(work)
    intake = work.intake(share)
    intake.counts.rows_deleted = removed
    return work.result(intake)


def _clear_away(work: _Work) -> None:
    # The new content is live: a cancel now leaves the remains to the next run, and does not undo the swap.
    with suppress(RunCancelled):
        purge_dead(work.opened.base, work.context.check_cancelled)
