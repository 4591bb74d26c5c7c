"""The architecture on one page: what the core needs, as abstract types.

Every `now` is handed in; every verb that writes takes batches where its callers have them, is one
transaction, and returns only after the commit. Reads see committed state. Events are published after
the commit that made them, in order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from agent.core.driving import Manifest
from agent.core.records import (
    ActiveLimit,
    ClaimedRun,
    DueJob,
    Fence,
    Held,
    JobChange,
    JobStatistics,
    LogSearch,
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
from agent.core.wire import ConnectionGrant, Ended, Order, RunMessage, WireLine
from shared.models import (
    Connection,
    Event,
    Fire,
    HeldDecision,
    HeldJob,
    Job,
    KnowledgeBase,
    LogHits,
    LogPage,
    Run,
    SearchHit,
    SearchInput,
    Sentinel,
    SentinelKind,
    Step,
    TokenInfo,
    Worker,
)
from shared.models.job import JobInput


class JobStore(Protocol):
    async def insert_job(self, job: NewJob, now: datetime) -> Job:
        """Publish revision 1. Conflict(field='name'|'slug') if taken in the account; TooMany if the limit is reached."""

    async def replace_job(self, change: JobChange, expected_version: int | None, now: datetime) -> Job:
        """Publish the next revision. StaleVersion if the version moved; NotFound; Conflict as above.
        `high_water` never goes back."""

    async def set_paused(
        self, job_id: str, paused_at: datetime | None, next_fire_at: datetime | None, now: datetime
    ) -> Job:
        """Pause or resume. While paused the job stays due-able: its span is settled when it resumes."""

    async def delete_job(self, job_id: str, expected_version: int | None, now: datetime) -> Job:
        """Mark as deleted: frees the name, cancels its pending runs; the ledger and runs stay."""

    async def get_job(self, account_id: str, key: str) -> Job:
        """By id, slug, natural id `owner-handle:slug`, or name, in that order. NotFound."""

    async def list_jobs(
        self, account_id: str, *, q: str = "", sort: str = "name", limit: int = 30, start: int = 0, where: Any = None
    ) -> tuple[list[Job], int]:
        """A page and the total. `q`: plain words over name and description, never a syntax error.
        `sort`: name, type, createdAt, updatedAt, nextRunAt, enabled; `-` descends. `recent` is filled."""

    async def revisions(self, job_id: str) -> list[dict[str, Any]]:
        """`{"revision", "definition", "authorId", "createdAt"}`, newest first."""

    async def definition(self, job_id: str, revision: int | None = None) -> JobInput: ...

    async def count_active_jobs(self, account_id: str, limit: ActiveLimit, now: datetime) -> int: ...

    async def statistics(self, job_ids: Sequence[str]) -> dict[str, JobStatistics]: ...


class FireStore(Protocol):
    async def due_jobs(self, now: datetime, limit: int) -> list[DueJob]:
        """Enabled, not deleted jobs with next_fire_at <= now, by index, earliest first. Paused ones are left out."""

    async def due_state(self, account_id: str, job_id: str) -> DueJob:
        """The same of one job, due or not, paused or not. NotFound."""

    async def next_due(self) -> datetime | None:
        """The earliest next_fire_at of all enabled, unpaused jobs."""

    async def settle(self, settled: Sequence[SettledJob], now: datetime) -> list[Run]:
        """Ledger rows, runs, next fire times and high-water marks of many jobs in one transaction.
        A job whose version moved is left as it is. Returns the runs created. `cancel_running` marks the
        job's active runs as asked to cancel (pending ones become cancelled)."""

    async def stale_zone_jobs(self, zone_data_version: str, limit: int) -> list[DueJob]:
        """Jobs whose next fire was computed with other zone data."""

    async def list_fires(
        self,
        account_id: str,
        *,
        job_id: str | None = None,
        outcome: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Fire]:
        """Newest first, keyed by id."""  # fmt: skip


class BacklogStore(Protocol):
    """Missed fires that are still to run. Each has its one ledger row: `held`, until it is decided."""

    async def late_jobs(self, before: datetime, last: DueJob | None, limit: int) -> list[DueJob]:
        """Of `due_jobs` those due before that moment, earliest first, behind `last`."""

    async def held_up_to(self) -> datetime | None:
        """Missed moments until then wait for an operator, all jobs together."""

    async def hold_up_to(self, moment: datetime) -> None: ...

    async def backlog(self, account_id: str, job_id: str | None = None) -> list[HeldJob]:
        """By job, those whose oldest fire is the oldest first."""

    async def count_held(self, account_id: str) -> dict[str, int]:
        """How many fires are held, by reason."""

    async def release(self, which: Held, by: str, now: datetime, *, latest_only: bool) -> HeldDecision:
        """Those that wait for an operator now wait for their turn; of a job whose window is over they are skipped; of
        one that is paused or disabled they are left. What is released already is not touched: doing it twice is
        doing it once."""

    async def discard(self, which: Held, by: str, now: datetime) -> HeldDecision:
        """All that are held become missed, whatever they wait for."""

    async def next_turns(self, limit: int) -> list[NextTurn]:
        """The oldest fire that waits for its turn of every job that may start one: not paused, not disabled, no
        caught-up run active. Oldest first; no more than may wait for a worker together with those that do (`limit`)."""

    async def take_turns(self, turns: Sequence[tuple[NextTurn, NewRun]], now: datetime) -> list[Run]:
        """Make the runs, and their fires `started`; those that were decided meanwhile are left out, and those whose
        window is over are skipped with all that wait behind them. Returns the runs made."""


class RunStore(Protocol):
    async def insert_runs(self, runs: Sequence[NewRun], now: datetime) -> list[Run]: ...

    def claim(
        self, worker_ids: Sequence[str], agent_id: str, lease_until: datetime, now: datetime
    ) -> Awaitable[list[ClaimedRun]]:
        """Queued by the call itself (see `ride`). Give each of the workers at most one due run (pending or retrying, available_at <= now), by priority, then
        number. Limits of concurrency keys and chained order are checked in the same transaction. A pending run of a
        job whose window has closed is cancelled with reason instead of claimed. Attempt goes up by one."""

    async def update_runs(self, updates: Sequence[RunUpdate], now: datetime) -> list[Fence]:
        """Write progress, steps, checkpoint, warnings under the fence; returns the fences that no longer hold."""

    async def extend_leases(self, fences: Sequence[Fence], until: datetime, now: datetime) -> list[Fence]:
        """Heartbeat; returns the fences that no longer hold."""

    async def finish(self, outcomes: Sequence[Outcome], now: datetime) -> list[Run]:
        """Guarded moves to a final state or to retrying. An outcome whose fence is stale changes nothing but is kept
        as evidence beside the run. Returns the runs that moved."""

    async def request_cancel(
        self,
        run_ids: Sequence[str],
        by: str,
        deadline: datetime | None,
        now: datetime,
        *,
        due: datetime | None = None,
    ) -> list[Run]:
        """Running runs get the mark. Pending and retrying ones become cancelled at once; or, with `due`, get the mark
        too and a new version, keep their state, and are not claimed: `carry_out_cancels` ends them. One that bears
        the mark already keeps its moment. Returns all that changed."""

    async def withdraw_cancels(self, run_ids: Sequence[str], now: datetime) -> list[Run]:
        """Take the mark from those whose cancel has not taken effect yet; running ones keep it. Returns them."""

    async def carry_out_cancels(self, now: datetime, limit: int) -> list[Run]:
        """Cancel the pending and retrying runs whose cancel is due, earliest first, at most `limit`."""

    async def next_cancel_due(self) -> datetime | None:
        """When the earliest cancel that waits takes effect."""

    async def expired_leases(self, now: datetime) -> list[ClaimedRun]: ...

    async def leases_of_other_agents(self, agent_id: str) -> list[ClaimedRun]:
        """Running runs whose worker belongs to another agent than this one: at start-up, those of the one before."""

    async def next_available(self, now: datetime) -> datetime | None:
        """When the earliest pending or retrying run that is not due yet becomes due."""

    async def get_run(self, account_id: str, run_id: str) -> Run: ...

    async def list_runs(self, query: RunQuery) -> list[Run]:
        """The page of `page_runs`, however long it takes."""

    async def page_runs(self, query: RunQuery, seconds: float) -> RunPage:
        """What is found newest first within about that time, and where to go on; each answer is further than the last."""

    async def count_by_state(self, account_id: str, where: Any = None) -> dict[str, int]:
        """Every state with its count, of the runs that match the parsed filter `where`."""

    async def tally_runs(self, account_id: str, where: Any, seconds: float) -> Tally:
        """The same, as far as it comes within about that time."""

    async def count_runs(self, account_id: str, where: Any) -> int: ...

    async def steps(self, run_id: str) -> list[Step]: ...

    async def attempts(self, run_id: str) -> list[dict[str, Any]]: ...


class SentinelStore(Protocol):
    """What the sentinels remember of jobs, and what they have told."""

    async def sentinel_news(self, cursor: int | None, limit: int) -> News:
        """What was committed behind event `cursor` (None: behind what was last judged), at most `limit` events of it."""

    async def running_too_long(self, now: datetime) -> list[LongRun]:
        """By the wall clock, and not told yet."""

    async def unheard_jobs(self, now: datetime, limit: int) -> list[int]:
        """Numbers of jobs whose `overdue_at` has come, by index."""

    async def watched_jobs(self, numbers: Sequence[int], unheard: Sequence[int]) -> list[WatchedJob]:
        """These jobs; of those in `unheard` with the oldest active run."""

    async def write_judged(self, judged: Sequence[Judged], cursor: int | None, now: datetime) -> None:
        """What a look made of jobs, and up to which event it has heard (None: as before)."""

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
        """Newest first, keyed by number."""  # fmt: skip

    async def get_sentinel(self, account_id: str, sentinel_id: str) -> Sentinel: ...

    async def acknowledge_sentinel(self, account_id: str, sentinel_id: str, by: str, now: datetime) -> Sentinel:
        """Somebody knows of it. A second time, or after it closed, changes nothing."""

    async def count_open_sentinels(self, account_id: str) -> dict[tuple[SentinelKind, bool], int]:
        """By kind, and whether somebody knows."""

    async def prune_sentinels(self, before: datetime) -> int:
        """Delete those that closed before; returns how many."""


class WorldStore(Protocol):
    """Accounts, users, tokens, secrets, connections, knowledge bases, agents and workers, events."""

    async def ensure_account(self, account_id: str, owner_id: str, handle: str, now: datetime) -> None: ...

    async def find_owner(self, account_id: str) -> tuple[str, str]:
        """(user id, handle) of the account's first user. NotFound."""

    async def insert_token(self, token: TokenRecord) -> None: ...

    async def find_token(self, token_hash: str) -> TokenRecord | None: ...

    async def touch_tokens(self, used: dict[str, datetime]) -> None: ...

    async def list_tokens(self, account_id: str) -> list[TokenInfo]: ...

    async def revoke_token(self, account_id: str, token_id: str, now: datetime) -> None: ...

    async def put_secret(self, account_id: str, name: str, ciphertext: bytes, now: datetime) -> None: ...

    async def get_secret(self, account_id: str, name: str) -> bytes: ...

    async def list_secrets(self, account_id: str) -> list[tuple[str, datetime]]: ...

    async def delete_secret(self, account_id: str, name: str) -> None:
        """Conflict while a connection uses it."""

    async def insert_connection(self, connection: Connection) -> Connection: ...

    async def get_connection(self, account_id: str, key: str) -> Connection:
        """By id or name."""

    async def list_connections(self, account_id: str) -> list[Connection]: ...

    async def delete_connection(self, account_id: str, key: str) -> None: ...

    async def insert_knowledge_base(self, base: KnowledgeBase) -> KnowledgeBase:
        """`number` is assigned by the store."""

    async def get_knowledge_base(self, account_id: str, key: str) -> KnowledgeBase: ...

    async def list_knowledge_bases(self, account_id: str) -> list[KnowledgeBase]: ...

    async def delete_knowledge_base(self, account_id: str, key: str) -> None: ...

    async def put_workers(self, workers: Sequence[Worker], now: datetime) -> None: ...

    async def list_workers(self) -> list[Worker]: ...

    async def events_after(self, account_id: str, event_id: int, limit: int) -> list[Event] | None:
        """None: that position was pruned; the listener must start anew."""

    async def last_event_id(self) -> int: ...

    async def prune_events(self, keep: int, before: datetime | None = None) -> int:
        """Delete the oldest, beyond the newest `keep` or from before that moment; returns how many."""


class Pruning(Protocol):
    """Deleting what is over and old, a little at a time."""

    async def old_runs(self, after: int, before: datetime, spare: int) -> OldRows:
        """Of the runs behind number `after` some that ended before that moment, but for each job's newest `spare`."""

    async def surplus_runs(self, keep: int, most: int) -> list[int]:
        """Numbers of the oldest that are over, beyond the newest `keep` of those."""

    async def delete_runs(self, numbers: Sequence[int]) -> int:
        """With all that is theirs but their logs: see `gone_runs`. Those that are not over stay. Returns how many went."""

    async def gone_runs(self, most: int) -> list[str]:
        """Deleted runs whose logs may still be there."""

    async def forget_gone_runs(self, run_ids: Sequence[str]) -> None:
        """Their logs are deleted."""

    async def old_fires(self, after: int, before: datetime, spare: int) -> OldRows:
        """As `old_runs`, of the ledger; what is held is not old."""

    async def delete_fires(self, numbers: Sequence[int]) -> int: ...

    async def give_back_space(self) -> bool:
        """Return some of what deleting has freed to the disk, where it is much; True if there is more."""

    async def size(self) -> StoreSize: ...


class Store(JobStore, FireStore, BacklogStore, RunStore, SentinelStore, WorldStore, Pruning, Protocol):
    """All of Jobdeck's own tables. One contract suite runs on every engine."""

    def subscribe(self, listener: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Call `listener` on the loop after each commit, in order; returns the way to stop it. It must not block."""

    def ride(self, rider: Callable[[], None]) -> None:
        """Call `rider` on the loop when runs that may be due are about to be stored, or places to be freed: what it
        queues at once shares their commit."""

    async def ping(self) -> None:
        """Raise Unavailable unless the store can be read and written."""

    async def close(self) -> None: ...


EventSink = Callable[[str, RunMessage], Awaitable[None]]
"""(worker id, event): what a worker says about its run. Awaiting it is the back pressure on that worker."""

EndSink = Callable[[str, Ended | None, RunMessage], Awaitable[None]]
"""(worker id, the worker's last word or None if it was lost, the run it had): called once per executed order, and
only when every process that the run ever started is proven gone."""


class Executor(Protocol):
    """Executes orders in worker processes."""

    async def start(self, on_event: EventSink, on_end: EndSink) -> None: ...

    async def stop(self, grace: float) -> None:
        """Let running orders finish for `grace` seconds, then cancel them; no process is left."""

    def idle_workers(self) -> list[str]:
        """Ids of workers that can take an order now."""

    def workers(self) -> list[Worker]: ...

    def execute(self, worker_id: str, order: Order) -> None:
        """Hand the order to that idle worker; what follows comes through the sinks."""

    def cancel(self, run_id: str, reason: str = "cancel") -> None:
        """Ask, then TERM, then after the order's kill_grace KILL everything that the run ever started."""

    async def sweep(self, run_ids: Sequence[str]) -> None:
        """End what processes an earlier agent's workers left of these runs (found by their mark); returns when none is left."""

    def on_idle(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a worker becomes idle."""


class LogStore(Protocol):
    """Logs of runs: segment files with an index, never rows."""

    async def append(self, run_id: str, lines: Sequence[WireLine], mask: Sequence[str]) -> int:
        """Write with every string of `mask` replaced by `•••`; returns the lines stored so far."""

    async def read(self, run_id: str, *, start: int = 1, limit: int = 200) -> LogPage:
        """Lines from number `start`; a negative start counts from the end."""

    async def search(self, run_id: str, wanted: LogSearch, *, seconds: float = 0.5) -> LogHits:
        """Works for about `seconds` and answers with what it found and where to go on; so whoever searches a long log
        can show how far it is, and stop. Each answer is further than the one before."""

    def follow(self, run_id: str, start: int) -> AsyncIterator[LogPage]: ...

    async def seal(self, run_id: str) -> None:
        """The run is over: flush and close."""

    async def delete(self, run_ids: Sequence[str]) -> None: ...


class KnowledgeBases(Protocol):
    """The searchable side of knowledge bases; writing happens in workers."""

    async def dimensions(self, embedder: str, account_id: str) -> int:
        """How long that embedder's vectors are. InvalidInput on `embedder`, naming those that exist."""

    def embedder_secret(self, embedder: str) -> str | None:
        """The name of the secret that the embedder's endpoint needs."""

    async def create(self, base: KnowledgeBase) -> None: ...

    async def search(self, base: KnowledgeBase, query: SearchInput) -> list[SearchHit]: ...

    async def count(self, base: KnowledgeBase) -> tuple[int, int]:
        """(rows, generation)."""

    async def delete(self, base: KnowledgeBase) -> None: ...

    def grant_path(self, base: KnowledgeBase) -> str: ...


class Sources(Protocol):
    """Data sources, looked at from the agent: everything that blocks happens in a thread."""

    def split(self, url: str) -> tuple[str, str, str | None]:
        """(kind, URL without password, password). InvalidInput on `url`."""

    def join(self, url: str, password: str | None) -> str: ...

    async def test(self, grant: ConnectionGrant) -> list[str]:
        """Connect and name the tables. Unavailable with the cause, never with a credential."""

    async def tables(self, grant: ConnectionGrant, table: str | None) -> list[dict[str, Any]]:
        """`{"name", "columns": [{"name", "type", "primaryKey"}]}`; one table's with columns, all without."""


class Vault(Protocol):
    """Secrets, encrypted at rest."""

    async def put(self, account_id: str, name: str, value: str) -> None: ...

    async def get(self, account_id: str, name: str) -> str:
        """NotFound."""


class Drivers(Protocol):
    """The drivers that are there, by type; known without importing their code."""

    def get(self, type_: str) -> Manifest:
        """InvalidInput on `type`, naming those that exist."""

    def list(self) -> list[Manifest]: ...
