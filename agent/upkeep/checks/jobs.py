"""Jobs that cannot do what they are for: what they need is gone, or nothing will ever start them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.core.actions.planning import needs_of_all
from agent.core.driving import Needs
from agent.core.ports import Drivers
from agent.resources.embedders.names import parse_embedder
from agent.store.inspection import StoreInspection
from agent.store.written import read_definition
from agent.upkeep.findings import Finding, error, listed, warning
from shared.errors import InvalidInput, Unreadable
from shared.schedule import zone_data_version

REPLACE = "upgrade Jobdeck if a newer one wrote it; else publish the job anew (jobdeck apply), or delete it"


@dataclass(frozen=True, slots=True)
class World:
    """Names that jobs may use, each with its account; resources go by their ids as well."""

    connections: set[tuple[str, str]]
    bases: set[tuple[str, str]]
    datasets: set[tuple[str, str]]
    secrets: set[tuple[str, str]]


def world_of(store: StoreInspection) -> World:
    def keys(rows: list[Any]) -> set[tuple[str, str]]:
        return {(row["account_id"], row[column]) for row in rows for column in ("id", "name")}

    secrets = {(row["account_id"], row["name"]) for row in store.secrets()}
    return World(keys(store.connections()), keys(store.knowledge_bases()), keys(store.datasets()), secrets)


def check_jobs(store: StoreInspection, drivers: Drivers, *, agent_lives: bool) -> Iterator[Finding]:
    world, zones = world_of(store), zone_data_version()
    silent, waiting, stale = list[str](), 0, list[str]()
    for job in store.jobs():
        yield from _check_needs(job, drivers, world)
        if job["interval_type"] == "none" or not job["enabled"] or job["paused_at"] is not None:
            continue
        if job["next_fire_at"] is not None:
            waiting += 1
            stale += [job["name"]] if job["zone_data_version"] != zones else []
        elif job["interval_type"] != "once":  # one that has had its moment is done
            silent.append(job["name"])
    yield from _check_schedules(silent, waiting, stale, zones, agent_lives=agent_lives)
    yield from _check_awaited(store)
    yield from _check_held(store)
    yield from _check_resources(store, world)


def _check_schedules(
    silent: list[str], waiting: int, stale: list[str], zones: str, *, agent_lives: bool
) -> Iterator[Finding]:
    if silent:
        yield warning(
            "schedules",
            f"enabled, and never due again: {listed(silent)}",
            "change their schedule or end, or disable them",
        )
    if waiting and not agent_lives:
        yield warning("agent", f"no agent runs on this folder, and {_schedules(waiting)} for one", "start the agent")
    if zones == "none":
        yield error("zones", "there are no time zone data", "install the system's tzdata, or the package of that name")
    elif stale and agent_lives:
        sentence = f"next fires were computed with other zone data than {zones}: {listed(stale)}"
        yield warning("zones", sentence, "restart the agent, so that it sees the same data and computes them anew")


def _schedules(waiting: int) -> str:
    return "1 schedule waits" if waiting == 1 else f"{waiting} schedules wait"


def _check_held(store: StoreInspection) -> Iterator[Finding]:
    fires, jobs, since = store.held_fires()
    if since is not None:
        sentence = f"missed fires wait for an operator since {since:%Y-%m-%d %H:%M}Z: {fires:,} (jobs: {jobs:,})"
        yield warning("catch-up", sentence, "jobdeck catch-up list, then release or discard them")


def _check_needs(job: Any, drivers: Drivers, world: World) -> Iterator[Finding]:
    name, account = job["name"], job["account_id"]
    try:
        needs = needs_of_all(drivers, read_definition(job["definition"], job["type"]))
    except Unreadable as refusal:
        yield error("definitions", f"job '{name}': {refusal.message}", REPLACE)
        return
    except InvalidInput as refusal:
        yield error("jobs", f"job '{name}' cannot run: {refusal.message}", "edit the job, or install what it needs")
        return
    for what in _missing(account, needs, world):
        yield error("jobs", f"job '{name}' uses {what}, which is gone", "make it anew under that name, or edit the job")


def _check_awaited(store: StoreInspection) -> Iterator[Finding]:
    for row in store.awaited_revisions():
        try:
            read_definition(row["definition"])
        except Unreadable as refusal:
            sentence = f"job '{row['name']}' has runs to come of revision {row['revision']}: {refusal.message}"
            yield error("definitions", sentence, "they fail when their turn comes; cancel them, and run the job anew")


def _missing(account: str, needs: Needs, world: World) -> Iterator[str]:
    for word, names, there in (
        ("connection", needs.connections, world.connections),
        ("knowledge base", needs.knowledge_bases, world.bases),
        ("dataset", needs.datasets, world.datasets),
        ("secret", needs.secrets, world.secrets),
    ):
        yield from (f"{word} '{name}'" for name in names if (account, name) not in there)


def _check_resources(store: StoreInspection, world: World) -> Iterator[Finding]:
    used = [("connection", row, row["secret_name"]) for row in store.connections()]
    used += [("knowledge base", row, _secret_of(row["embedder"])) for row in store.knowledge_bases()]
    for word, row, secret in used:
        if secret and (row["account_id"], secret) not in world.secrets:
            sentence = f"{word} '{row['name']}' uses secret '{secret}', which is gone"
            yield error("secrets", sentence, f"jobdeck secret set {secret}")


def _secret_of(embedder: str) -> str | None:
    try:
        return parse_embedder(embedder).secret
    except InvalidInput:
        return None
