"""What happens: facts of the store, workers, events."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Text

from agent.store.tables.base import table
from agent.store.types import Json, Moment, Number

meta = table("meta", Column("key", Text, primary_key=True), Column("value", Text, nullable=False))


workers = table(
    "workers",
    Column("id", Text, primary_key=True),
    Column("agent_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Text),
    Column("job_name", Text),
    Column("account_id", Text),
    Column("started_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("runs_done", Integer, nullable=False),
)

events = table(
    "events",
    Column("id", Number, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("data", Json, nullable=False),
    counts=False,  # see `agent/store/events.py`
)
