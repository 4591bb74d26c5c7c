"""The store as the core sees it: each verb handed to the function that does it, in a transaction."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import exc

from agent.core.records import (
    ActiveLimit,
    ClaimedRun,
    DueJob,
    Fence,
    Held,
    JobChange,
    JobStatistics,
    NewJob,
    NewRun,
    NextTurn,
    OldRows,
    Outcome,
    RunPage,
    RunQuery,
    RunUpdate,
    SettledJob,
    StoreSize,
    Tally,
    TokenRecord,
)
from agent.core.sentinels.records import Judged, LongRun, News, WatchedJob
from agent.store import (
    backlog,
    cancels,
    claims,
    deciding,
    events,
    facts,
    fires,
    job_queries,
    jobs,
    outcomes,
    pruning,
    run_queries,
    runs,
    sentinels,
    space,
    updates,
    watching,
    world,
)
from agent.store.readers import Readers
from agent.store.walking import Patience
from agent.store.writer import Listener, Writer
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models import (
    Connection,
    Fire,
    HeldDecision,
    HeldJob,
    Job,
    JobInput,
    KnowledgeBase,
    Run,
    Sentinel,
    SentinelKind,
    Step,
    TokenInfo,
    Worker,
)
from shared.models.event import Event

T = TypeVar("T")


class SqlStore:
    """Implements `agent.core.ports.Store`. Make one with `open_store`."""

    def __init__(self, writer: Writer, readers: Readers, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def _read(self, query: Callable[..., T], *args: Any, **named: Any) -> T:
        try:
            return await self._readers.ask(lambda connection: query(connection, *args, **named))
        except exc.DBAPIError as error:
            raise Unavailable(f"the store cannot be read: {error.orig}") from error

    def _write(self, write: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Queued when it is called, not when it is awaited."""
        return self._writer.submit(lambda connection: write(connection, *args))

    # -- jobs ----------------------------------------------------------------------------------------------------------

    async def insert_job(self, job: NewJob, now: datetime) -> Job:
        return await self._write(jobs.insert, job, now)

    async def replace_job(self, change: JobChange, expected_version: int | None, now: datetime) -> Job:
        return await self._write(jobs.replace, change, expected_version, now)

    async def set_paused(
        self, job_id: str, paused_at: datetime | None, next_fire_at: datetime | None, now: datetime
    ) -> Job:
        return await self._write(jobs.set_paused, job_id, paused_at, next_fire_at, now)

    async def delete_job(self, job_id: str, expected_version: int | None, now: datetime) -> Job:
        return await self._write(jobs.delete, job_id, expected_version, now)

    async def get_job(self, account_id: str, key: str) -> Job:
        return await self._read(job_queries.get, account_id, key)

    async def list_jobs(
        self, account_id: str, *, q: str = "", sort: str = "name", limit: int = 30, start: int = 0, where: Any = None
    ) -> tuple[list[Job], int]:
        now = self._clock.now()
        return await self._read(
            job_queries.list_page, account_id, q=q, sort=sort, limit=limit, start=start, where=where, now=now
        )

    async def definition(self, job_id: str, revision: int | None = None) -> JobInput:
        return await self._read(job_queries.definition, job_id, revision)

    async def revisions(self, job_id: str) -> list[dict[str, Any]]:
        return await self._read(job_queries.revisions, job_id)

    async def count_active_jobs(self, account_id: str, limit: ActiveLimit, now: datetime) -> int:
        return await self._read(jobs.count_active, account_id, limit, now)

    async def statistics(self, job_ids: Sequence[str]) -> dict[str, JobStatistics]:
        return await self._read(job_queries.statistics, job_ids)

    # -- fires ---------------------------------------------------------------------------------------------------------

    async def due_jobs(self, now: datetime, limit: int) -> list[DueJob]:
        return await self._read(fires.due, now, limit)

    async def due_state(self, account_id: str, job_id: str) -> DueJob:
        return await self._read(fires.state, account_id, job_id)

    async def next_due(self) -> datetime | None:
        return await self._read(fires.next_due)

    async def settle(self, settled: Sequence[SettledJob], now: datetime) -> list[Run]:
        return await self._writer.submit(lambda connection: fires.settle(connection, settled, now), stirs=True)

    async def stale_zone_jobs(self, zone_data_version: str, limit: int) -> list[DueJob]:
        return await self._read(fires.stale_zone, zone_data_version, limit)

    async def list_fires(
        self,
        account_id: str,
        *,
        job_id: str | None = None,
        outcome: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Fire]:
        return await self._read(fires.list_page, account_id, job_id, outcome, before, limit)

    async def late_jobs(self, before: datetime, last: DueJob | None, limit: int) -> list[DueJob]:
        return await self._read(fires.late, before, last, limit)

    async def held_up_to(self) -> datetime | None:
        return await self._read(backlog.held_up_to)

    async def hold_up_to(self, moment: datetime) -> None:
        await self._write(backlog.hold_up_to, moment)

    async def backlog(self, account_id: str, job_id: str | None = None) -> list[HeldJob]:
        return await self._read(backlog.by_job, account_id, job_id)

    async def count_held(self, account_id: str) -> dict[str, int]:
        return await self._read(backlog.count, account_id)

    async def release(self, which: Held, by: str, now: datetime, *, latest_only: bool) -> HeldDecision:
        return await self._write(deciding.release, which, by, now, latest_only)

    async def discard(self, which: Held, by: str, now: datetime) -> HeldDecision:
        return await self._write(deciding.discard, which, by, now)

    async def next_turns(self, limit: int) -> list[NextTurn]:
        return await self._read(backlog.next_turns, limit)

    async def take_turns(self, turns: Sequence[tuple[NextTurn, NewRun]], now: datetime) -> list[Run]:
        return await self._write(deciding.take_turns, turns, now)

    # -- runs ----------------------------------------------------------------------------------------------------------

    async def insert_runs(self, new: Sequence[NewRun], now: datetime) -> list[Run]:
        return list(await self._writer.submit_each(runs.insert, new, now, stirs=True))

    def claim(
        self, worker_ids: Sequence[str], agent_id: str, lease_until: datetime, now: datetime
    ) -> Awaitable[list[ClaimedRun]]:
        return self._write(claims.claim, worker_ids, agent_id, lease_until, now)

    async def update_runs(self, changes: Sequence[RunUpdate], now: datetime) -> list[Fence]:
        held = await self._writer.submit_each(updates.write, changes, now)
        return [each.fence for each, holds in zip(changes, held, strict=True) if not holds]

    async def extend_leases(self, fences: Sequence[Fence], until: datetime, now: datetime) -> list[Fence]:  # noqa: ARG002  # the fence alone judges
        return await self._write(claims.extend, fences, until)

    async def finish(self, ended: Sequence[Outcome], now: datetime) -> list[Run]:
        moved = await self._writer.submit_each(outcomes.finish, ended, now, stirs=True)
        return [run for run in moved if run is not None]

    async def request_cancel(
        self,
        run_ids: Sequence[str],
        by: str,
        deadline: datetime | None,
        now: datetime,
        *,
        due: datetime | None = None,
    ) -> list[Run]:
        return await self._write(cancels.request, run_ids, by, deadline, now, due)

    async def withdraw_cancels(self, run_ids: Sequence[str], now: datetime) -> list[Run]:
        return await self._write(cancels.withdraw, run_ids, now)

    async def carry_out_cancels(self, now: datetime, limit: int) -> list[Run]:
        return await self._write(cancels.carry_out, limit, now)

    async def next_cancel_due(self) -> datetime | None:
        return await self._read(cancels.next_due)

    async def expired_leases(self, now: datetime) -> list[ClaimedRun]:
        return await self._read(claims.expired, now)

    async def leases_of_other_agents(self, agent_id: str) -> list[ClaimedRun]:
        return await self._read(claims.of_other_agents, agent_id)

    async def next_available(self, now: datetime) -> datetime | None:
        return await self._read(claims.next_available, now)

    async def get_run(self, account_id: str, run_id: str) -> Run:
        return await self._read(run_queries.get, account_id, run_id, self._clock.now())

    async def list_runs(self, query: RunQuery) -> list[Run]:
        return (await self.page_runs(query, math.inf)).runs

    async def page_runs(self, query: RunQuery, seconds: float) -> RunPage:
        patience = Patience.of(self._clock.monotonic, seconds)
        return await self._read(run_queries.list_page, query, self._clock.now(), patience)

    async def count_by_state(self, account_id: str, where: Any = None) -> dict[str, int]:
        return (await self.tally_runs(account_id, where, math.inf)).counts

    async def tally_runs(self, account_id: str, where: Any, seconds: float) -> Tally:
        patience = Patience.of(self._clock.monotonic, seconds)
        return await self._read(run_queries.count_by_state, account_id, where, self._clock.now(), patience)

    async def count_runs(self, account_id: str, where: Any) -> int:
        return sum((await self.count_by_state(account_id, where)).values())

    async def steps(self, run_id: str) -> list[Step]:
        return await self._read(run_queries.list_steps, run_id)

    async def attempts(self, run_id: str) -> list[dict[str, Any]]:
        return await self._read(run_queries.list_attempts, run_id)

    # -- sentinels -----------------------------------------------------------------------------------------------------

    async def sentinel_news(self, cursor: int | None, limit: int) -> News:
        return await self._read(watching.news, cursor, limit)

    async def running_too_long(self, now: datetime) -> list[LongRun]:
        return await self._read(watching.running_too_long, now)

    async def unheard_jobs(self, now: datetime, limit: int) -> list[int]:
        return await self._read(watching.unheard, now, limit)

    async def watched_jobs(self, numbers: Sequence[int], unheard: Sequence[int]) -> list[WatchedJob]:
        return await self._read(watching.watched, numbers, unheard)

    async def write_judged(self, judged: Sequence[Judged], cursor: int | None, now: datetime) -> None:
        await self._write(sentinels.write, judged, cursor, now)

    async def list_sentinels(
        self,
        account_id: str,
        *,
        job_id: str | None = None,
        kind: SentinelKind | None = None,
        is_open: bool | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Sentinel]:
        return await self._read(
            sentinels.list_page, account_id, job_id=job_id, kind=kind, is_open=is_open, before=before, limit=limit
        )

    async def get_sentinel(self, account_id: str, sentinel_id: str) -> Sentinel:
        return await self._read(sentinels.get, account_id, sentinel_id)

    async def acknowledge_sentinel(self, account_id: str, sentinel_id: str, by: str, now: datetime) -> Sentinel:
        return await self._write(sentinels.acknowledge, account_id, sentinel_id, by, now)

    async def count_open_sentinels(self, account_id: str) -> dict[tuple[SentinelKind, bool], int]:
        return await self._read(sentinels.count_open, account_id)

    async def prune_sentinels(self, before: datetime) -> int:
        """In small transactions, so that nobody waits long behind it."""
        gone = 0
        while part := await self._write(sentinels.prune, before, 1000):
            gone += part
        return gone

    # -- world ---------------------------------------------------------------------------------------------------------

    async def ensure_account(self, account_id: str, owner_id: str, handle: str, now: datetime) -> None:
        await self._write(world.ensure_account, account_id, owner_id, handle, now)

    async def find_owner(self, account_id: str) -> tuple[str, str]:
        return await self._read(world.find_owner, account_id)

    async def insert_token(self, token: TokenRecord) -> None:
        await self._write(world.insert_token, token)

    async def find_token(self, token_hash: str) -> TokenRecord | None:
        return await self._read(world.find_token, token_hash)

    async def touch_tokens(self, used: dict[str, datetime]) -> None:
        await self._write(world.touch_tokens, used)

    async def list_tokens(self, account_id: str) -> list[TokenInfo]:
        return await self._read(world.list_tokens, account_id)

    async def revoke_token(self, account_id: str, token_id: str, now: datetime) -> None:
        await self._write(world.revoke_token, account_id, token_id, now)

    async def put_secret(self, account_id: str, name: str, ciphertext: bytes, now: datetime) -> None:
        await self._write(world.put_secret, account_id, name, ciphertext, now)

    async def get_secret(self, account_id: str, name: str) -> bytes:
        return await self._read(world.get_secret, account_id, name)

    async def list_secrets(self, account_id: str) -> list[tuple[str, datetime]]:
        return await self._read(world.list_secrets, account_id)

    async def delete_secret(self, account_id: str, name: str) -> None:
        await self._write(world.delete_secret, account_id, name)

    async def insert_connection(self, connection: Connection) -> Connection:
        return await self._write(world.insert_connection, connection)

    async def get_connection(self, account_id: str, key: str) -> Connection:
        return await self._read(world.get_connection, account_id, key)

    async def list_connections(self, account_id: str) -> list[Connection]:
        return await self._read(world.list_connections, account_id)

    async def delete_connection(self, account_id: str, key: str) -> None:
        await self._write(world.delete_connection, account_id, key, self._clock.now())

    async def insert_knowledge_base(self, base: KnowledgeBase) -> KnowledgeBase:
        return await self._write(world.insert_knowledge_base, base)

    async def get_knowledge_base(self, account_id: str, key: str) -> KnowledgeBase:
        return await self._read(world.get_knowledge_base, account_id, key)

    async def list_knowledge_bases(self, account_id: str) -> list[KnowledgeBase]:
        return await self._read(world.list_knowledge_bases, account_id)

    async def delete_knowledge_base(self, account_id: str, key: str) -> None:
        await self._write(world.delete_knowledge_base, account_id, key, self._clock.now())

    async def put_workers(self, seen: Sequence[Worker], now: datetime) -> None:
        await self._write(world.put_workers, seen, now)

    async def list_workers(self) -> list[Worker]:
        return await self._read(world.list_workers)

    # -- events --------------------------------------------------------------------------------------------------------

    async def events_after(self, account_id: str, event_id: int, limit: int) -> list[Event] | None:
        return await self._read(events.after_unless_pruned, account_id, event_id, limit)

    async def last_event_id(self) -> int:
        return await self._read(events.last_id)

    async def prune_events(self, keep: int, before: datetime | None = None) -> int:
        """In small transactions, so that nobody waits long behind it."""
        gone = 0
        while part := await self._write(events.prune, keep, before):
            gone += part
        return gone

    # -- pruning -------------------------------------------------------------------------------------------------------

    async def old_runs(self, after: int, before: datetime, spare: int) -> OldRows:
        return await self._read(pruning.old_runs, after, before, spare)

    async def surplus_runs(self, keep: int, most: int) -> list[int]:
        return await self._read(pruning.surplus_runs, keep, most)

    async def delete_runs(self, numbers: Sequence[int]) -> int:
        return await self._write(pruning.delete_runs, numbers)

    async def gone_runs(self, most: int) -> list[str]:
        return await self._read(pruning.gone, most)

    async def forget_gone_runs(self, run_ids: Sequence[str]) -> None:
        await self._write(pruning.forget_gone, run_ids)

    async def old_fires(self, after: int, before: datetime, spare: int) -> OldRows:
        return await self._read(pruning.old_fires, after, before, spare)

    async def delete_fires(self, numbers: Sequence[int]) -> int:
        return await self._write(pruning.delete_fires, numbers)

    async def give_back_space(self) -> bool:
        return await self._write(space.give_back)

    async def size(self) -> StoreSize:
        return await self._read(space.size)

    # -- life ----------------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._writer.subscribe(listener)

    def ride(self, rider: Callable[[], None]) -> None:
        self._writer.ride(rider)

    async def ping(self) -> None:
        await self._write(facts.put, "pinged_at", self._clock.now().isoformat())
        await self._read(facts.get, "pinged_at")

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()
