"""Jobdeck's own tables, a subject a file. `migrations/` makes them; a test holds the two together.

Jobs, runs and fires have a `number` that the engine counts up: joins, pages and full-text rows go by it, and indexes
of millions of rows stay small. The `id` is what the world sees.
"""

from agent.store.tables.audit import audit
from agent.store.tables.base import metadata
from agent.store.tables.datasets import datasets
from agent.store.tables.drafts import drafts
from agent.store.tables.fires import STILL_HELD, fires
from agent.store.tables.happenings import events, meta, workers
from agent.store.tables.identity import accounts, members, secrets, sessions, tokens, users
from agent.store.tables.jobs import job_revisions, job_statistics, job_tags, jobs
from agent.store.tables.resources import connections, knowledge_bases
from agent.store.tables.run_variants import VARIED, run_variants
from agent.store.tables.runs import (
    ACTIVE,
    HELD,
    LEAVING,
    WAITING,
    attempts,
    checkpoints,
    gone_runs,
    late_results,
    run_counts,
    runs,
    steps,
)
from agent.store.tables.sentinels import AWAITED, CLOSED, OPEN, sentinels, watches
from agent.store.tables.shares import shares
from agent.store.tables.sight import job_counts, job_readers
from agent.store.tables.uses import job_uses

__all__ = [
    "ACTIVE",
    "AWAITED",
    "CLOSED",
    "HELD",
    "LEAVING",
    "OPEN",
    "STILL_HELD",
    "VARIED",
    "WAITING",
    "accounts",
    "attempts",
    "audit",
    "checkpoints",
    "connections",
    "datasets",
    "drafts",
    "events",
    "fires",
    "gone_runs",
    "job_counts",
    "job_readers",
    "job_revisions",
    "job_statistics",
    "job_tags",
    "job_uses",
    "jobs",
    "knowledge_bases",
    "late_results",
    "members",
    "meta",
    "metadata",
    "run_counts",
    "run_variants",
    "runs",
    "secrets",
    "sentinels",
    "sessions",
    "shares",
    "steps",
    "tokens",
    "users",
    "watches",
    "workers",
]
