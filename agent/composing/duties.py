"""What the agent does by itself: every duty, and who hears of what."""

from __future__ import annotations

from dataclasses import dataclass

from agent.composing.authoring import Authoring
from agent.composing.execution import Execution
from agent.composing.ground import Ground
from agent.composing.resources import Resources
from agent.composing.scheduling import Scheduling
from agent.core.running.ordering import Ordering
from agent.core.sentinels.patience import Patience
from agent.services.canceller import Canceller
from agent.services.catch_up import CatchUp
from agent.services.definitions import Definitions
from agent.services.delayed_canceller import DelayedCanceller
from agent.services.dispatcher import Dispatcher
from agent.services.poller import Poller
from agent.services.rescuer import Rescuer
from agent.services.retention import Retention
from agent.services.roster import Roster
from agent.services.scheduler import Scheduler
from agent.services.sealer import Sealer
from agent.services.sentinel import Sentinels
from agent.services.snapshots import SnapshotWatch
from agent.services.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Duties:
    """`all` in the order in which they start; those that the agent itself calls stand apart too."""

    all: list[Poller]
    supervisor: Supervisor
    dispatcher: Dispatcher
    rescuer: Rescuer

    def failing(self) -> dict[str, str]:
        """The duties whose last try failed, and why."""
        return {type(duty).__name__: duty.failing for duty in self.all if duty.failing}


def make_duties(
    ground: Ground, resources: Resources, execution: Execution, scheduling: Scheduling, authoring: Authoring
) -> Duties:
    settings, store, clock, executor = ground.settings, ground.store, ground.clock, execution.executor
    supervisor = _supervisor(ground, resources, execution)
    dispatcher = _dispatcher(ground, resources, execution, supervisor)
    rescuer = Rescuer(
        store, clock, executor, execution.drivers, ground.rng, ground.agent_id, supervisor.watches, settings.lease
    )
    scheduler = Scheduler(store, clock, scheduling.firing, scheduling.brake, dispatcher, dispatcher.brace)
    catch_up = CatchUp(store, clock, ground.ids, scheduling.pace, settings.workers)
    roster, sealer = Roster(store, clock, executor), Sealer(resources.logs)
    delayed_canceller, snapshot_watch = DelayedCanceller(store, clock), SnapshotWatch(store, resources.snapshots)
    retention = Retention(store, resources.logs, resources.blobs, clock, settings)
    for duty in (
        scheduler,
        catch_up,
        dispatcher,
        delayed_canceller,
        roster,
        sealer,
        snapshot_watch,
        Canceller(executor),
    ):
        store.subscribe(duty.hear)
    store.ride(dispatcher.ride)
    for wake in (dispatcher.wake, roster.wake):
        executor.on_idle(wake)
    every: list[Poller] = [
        supervisor, scheduler, catch_up, dispatcher, delayed_canceller, rescuer, roster, sealer, retention,
        _sentinels(ground), snapshot_watch,
    ]  # fmt: skip
    if resources.definitions is not None:
        every.append(Definitions(authoring.defining, resources.definitions.root))
    return Duties(every, supervisor, dispatcher, rescuer)


def _supervisor(ground: Ground, resources: Resources, execution: Execution) -> Supervisor:
    return Supervisor(
        ground.store,
        ground.clock,
        execution.executor,
        resources.logs,
        execution.drivers,
        execution.promising,
        ground.settings,
        ground.rng,
    )


def _dispatcher(ground: Ground, resources: Resources, execution: Execution, supervisor: Supervisor) -> Dispatcher:
    return Dispatcher(
        ground.store,
        ground.clock,
        execution.executor,
        Ordering(ground.store, execution.drivers, execution.granting, resources.blobs, ground.settings),
        execution.promising,
        supervisor.watch,
        supervisor.forget,
        ground.settings,
        ground.agent_id,
        ground.rng,
    )


def _sentinels(ground: Ground) -> Sentinels:
    settings = ground.settings
    patience = Patience(frozenset(settings.sentinels), settings.sentinel_tolerance, settings.sentinel_least_runs)
    return Sentinels(ground.store, ground.clock, ground.ids, patience)
