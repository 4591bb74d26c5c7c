"""One look at a data folder, whether or not an agent works on it. Nothing is changed, and nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.drivers.registry import DriverRegistry
from agent.store.inspection import StoreInspection, inspect_store
from agent.upkeep.checks.agent import PATIENCE, Holder, check_agent, find_holder
from agent.upkeep.checks.datasets import check_datasets
from agent.upkeep.checks.folder import check_folder, sizes_of
from agent.upkeep.checks.jobs import check_jobs
from agent.upkeep.checks.limits import check_limits
from agent.upkeep.checks.resources import check_bases, check_key
from agent.upkeep.checks.store import PUT_BACK, RESTORE, RESTORE_AGAIN, check_schema, check_store
from agent.upkeep.findings import Finding, error
from agent.upkeep.layout import Layout
from shared.clock import Clock
from shared.errors import Unavailable
from shared.places import socket_path
from shared.starting import wait_for_start


@dataclass(frozen=True, slots=True)
class Report:
    data_dir: Path
    agent: Holder | None
    sizes: dict[str, int]
    findings: list[Finding]
    """The worst first."""

    @property
    def is_sound(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def examine(data_dir: Path, clock: Clock) -> Report:
    """NotFound if this is no agent's folder."""
    layout = Layout(data_dir)
    wait_for_start(socket_path(data_dir), PATIENCE)
    if not layout.loss():
        layout.require_store()
    holder, sizes = find_holder(layout), sizes_of(layout)
    findings = [*check_folder(layout, sizes), *check_agent(layout, holder), *_inside(layout, holder, clock)]
    return Report(data_dir, holder, sizes, sorted(findings, key=lambda finding: finding.severity))


def _inside(layout: Layout, holder: Holder | None, clock: Clock) -> Iterator[Finding]:
    if loss := layout.loss():
        is_half = layout.is_half_restored()
        yield error("store", loss, RESTORE_AGAIN) if is_half else error("store", loss, PUT_BACK)
        return
    try:
        with inspect_store(layout.store) as store:
            behind = list(check_schema(store))
            yield from behind or _all_of(store, layout, holder, clock)
    except Unavailable as refusal:
        yield error("store", refusal.message, RESTORE)


def _all_of(store: StoreInspection, layout: Layout, holder: Holder | None, clock: Clock) -> Iterator[Finding]:
    lives, drivers = holder is not None, DriverRegistry()
    for origin, why in drivers.faults.items():
        yield error("drivers", f"driver {origin} is left out: {why}", "mend or remove the package that brings it")
    yield from check_store(store, clock.now(), agent_lives=lives)
    yield from check_jobs(store, drivers, agent_lives=lives)
    yield from check_limits(store)
    yield from check_bases(store, layout)
    yield from check_datasets(store, layout)
    yield from check_key(store, layout, clock)
