"""What runs are made of and where: the drivers, the workers, and what a run may use."""

from __future__ import annotations

from dataclasses import dataclass

from agent.composing.ground import Ground
from agent.composing.resources import Resources
from agent.core.ports import Drivers, Executor
from agent.core.running.promising import Promising
from agent.core.world.granting import Granting
from agent.drivers.registry import DriverRegistry
from agent.workers.pool import LocalExecutor


@dataclass(frozen=True, slots=True)
class Execution:
    drivers: Drivers
    executor: Executor
    granting: Granting
    promising: Promising


def make_execution(ground: Ground, resources: Resources) -> Execution:
    drivers = DriverRegistry()
    granting = Granting(
        ground.store,
        resources.vault,
        resources.sources,
        resources.reader,
        ground.settings.smtp,
        snapshots=resources.snapshots,
        storing=resources.storing,
        query_timeout=ground.settings.query_timeout,
    )
    return Execution(drivers, _executor(ground, drivers), granting, Promising(drivers))


def _executor(ground: Ground, drivers: Drivers) -> LocalExecutor:
    settings = ground.settings
    return LocalExecutor(
        size=settings.workers,
        data_dir=ground.data_dir,
        agent_id=ground.agent_id,
        clock=ground.clock,
        new_id=ground.ids,
        recycle_after=settings.runs_per_worker,
        lease=settings.lease.total_seconds(),
        preload=[drivers.get("command").entry],
    )
