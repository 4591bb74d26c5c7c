"""What happened, numbered by the store at commit."""

from __future__ import annotations

from typing import Any, Literal

from shared.models.base import Instant, Resource

EventKind = Literal[
    "job.created", "job.changed", "job.deleted", "draft.changed",
    "run.created", "run.changed", "run.deleted", "run.progress", "run.log",
    "fire.recorded", "catch_up.changed",
    "sentinel.opened", "sentinel.changed", "sentinel.closed",
    "worker.changed",
    "connection.changed", "knowledge_base.changed", "dataset.changed", "secret.changed", "share.changed",
    "account.changed", "user.changed", "token.changed",
    "agent.changed",
]  # fmt: skip


class Event(Resource):
    """`id` is the position in the stream (`Last-Event-ID`). `data` is the whole changed resource where it is
    small (job, run, sentinel), else its ids (of a draft `{id, editingId, ownerId}`, with `deleted` when it is gone);
    `run.progress` carries `{runId, progress}`, `run.log` `{runId, total}`, `run.deleted` `{id, jobId}`,
    `catch_up.changed` `{act, by, count, waiting, jobs, jobIds}`: who held, released or discarded how many missed fires,
    how many of how many jobs wait for an operator now, and whose they were (null: of very many), where to all but
    administrators the counts and `jobIds` are null: ask anew; `share.changed` `{kind, id}` with `principalId,
    accessLevel` (null: no more), `visibility` or `ownerId`; `secret.changed` `{name}`; `agent.changed` `{store, reason,
    since, until}`: `refuses` where nothing can be written (the disk is full), `works` when it can again. The first is
    told at once, with the `id` 0, and stored with the second."""

    id: int
    at: Instant
    kind: EventKind
    account_id: str
    subject_id: str
    data: dict[str, Any] = {}
