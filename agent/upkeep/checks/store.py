"""The store's file, its schema, and time as it has seen it pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.store import schema
from agent.store.inspection import StoreInspection
from agent.upkeep.findings import Finding, error, listed, warning

SLACK = timedelta(seconds=5)
FAR = timedelta(minutes=5)
RESTORE = "stop the agent, keep a copy of the folder, and restore the last backup"
PUT_BACK = (
    "put it back, or stop the agent and restore the last backup (`jobdeck restore BACKUP --force`); "
    "an agent that starts without it begins with an empty one"
)

RESTORE_AGAIN = "a restore was cut short: run it again, with --force; no agent starts until then"


def check_store(store: StoreInspection, now: datetime, *, agent_lives: bool) -> Iterator[Finding]:
    if problems := store.problems():
        yield error("store", f"the store's file is damaged: {problems[0]}", RESTORE)
    if tables := store.dangling():
        yield error("store", f"rows refer to rows that are not there, in {listed(tables)}", RESTORE)
    yield from _check_clock(store, now)
    yield from _check_runs(store, now, agent_lives=agent_lives)


def check_schema(store: StoreInspection) -> Iterator[Finding]:
    """Anything but the newest keeps the other questions from being asked."""
    version = store.schema()
    if version is None:
        yield error("schema", "the store has no schema: an agent was ended while it made it", "start the agent again")
    elif not schema.is_known(version):
        yield error("schema", f"a newer Jobdeck made the store (schema {version})", "upgrade Jobdeck")
    elif version != schema.HEAD:
        yield warning("schema", f"the store has schema {version}, and {schema.HEAD} is the newest", "start the agent")


def _check_clock(store: StoreInspection, now: datetime) -> Iterator[Finding]:
    newest = store.newest_event()
    if newest is None or newest - now <= SLACK:
        return
    say = error if newest - now > FAR else warning
    sentence = f"the clock was set back: it is {now:%Y-%m-%d %H:%M:%S} UTC, and the newest event is of {newest:%Y-%m-%d %H:%M:%S}"
    yield say("clock", sentence, "set the clock right; until it has caught up, schedules do not fire")


def _check_runs(store: StoreInspection, now: datetime, *, agent_lives: bool) -> Iterator[Finding]:
    held = store.held_runs()
    if held and not agent_lives:
        names = listed([f"{job} ({run})" for run, job, _ in held])
        yield warning(
            "runs", f"running, says the store, and no agent lives: {names}", "start the agent: it rescues them"
        )
    late = [f"{job} ({run})" for run, job, until in held if now - until > SLACK] if agent_lives else []
    if late:
        yield error(
            "runs", f"their lease is over, and nobody has taken them on: {listed(late)}", "look at the agent's log"
        )
