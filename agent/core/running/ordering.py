"""Orders: what a worker is told of a claimed run. What its definition says of it is made once for a revision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.core.actions.planning import action_orders, needs_of_all
from agent.core.definitions.parameters import needs_of
from agent.core.driving import Needs
from agent.core.ports import Blobs, Drivers, Store
from agent.core.records import ClaimedRun
from agent.core.running.variants import varied
from agent.core.wire import Order
from agent.core.world.attached import by_alias, snapshots_around
from agent.core.world.granting import Granting
from agent.core.world.using import Users
from agent.settings import Settings
from shared.errors import Fault, InvalidInput, Unreadable

_REMEMBERED = 4000
"""Revisions of which the plan is kept."""
_NOTHING = Needs()


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that is the same in each run of a revision; `order` lacks what is the run's own."""

    order: Order
    needs: Needs


class Ordering:
    def __init__(self, store: Store, drivers: Drivers, granting: Granting, blobs: Blobs, settings: Settings) -> None:
        self._store = store
        self._drivers = drivers
        self._granting = granting
        self._blobs = blobs
        self._settings = settings
        self._scratch = str(Path(settings.data_dir, "scratch"))
        self._plans: dict[tuple[str, int, str], _Plan] = {}
        self._roots: dict[str, list[str]] = {}
        """By account."""

    async def order(self, claimed: ClaimedRun) -> tuple[Order, frozenset[str]]:
        """The order, and the credentials in it. What it may use is looked up for each run, as it is now; InvalidInput
        names what is not there, Unreadable that its revision cannot be read."""
        if claimed.unreadable:
            raise Unreadable(f"{claimed.unreadable}; publish the job anew")
        run, plan = claimed.run, self._plan(claimed)
        own, needs = self._own(claimed), plan.needs
        if run.type != claimed.definition.type:
            own["data"] = data = await self._varied(claimed)
            needs += needs_of(self._drivers.get(run.type), data)
        if needs == _NOTHING:
            return plan.order.model_copy(update=own), frozenset()
        grants, faults = await self._granting.grant(run.account_id, needs, Users(owner_id=run.owner_id))
        if faults:
            raise InvalidInput([Fault("data", fault.message, fault.value) for fault in faults])
        await self._granting.make_folders(grants)
        granted = {
            "connections": grants.connections,
            "knowledge_bases": grants.knowledge_bases,
            "datasets": by_alias(claimed.definition, grants.datasets),
            "secrets": grants.secrets,
            "mail_server": grants.mail_server,
        }
        return plan.order.model_copy(update={**own, **granted}), frozenset(grants.mask)

    def plain(self, claimed: ClaimedRun) -> Order | None:
        """The order of a run for which nothing has to be looked up; None: something has."""
        plan = self._plan(claimed)
        if claimed.run.type != claimed.definition.type or plan.needs != _NOTHING:
            return None
        return plan.order.model_copy(update=self._own(claimed))

    def _own(self, claimed: ClaimedRun) -> dict[str, Any]:
        run = claimed.run
        return {
            "run_id": run.id,
            "attempt": run.attempt,
            "job_name": run.job_name,
            "owner_id": run.owner_id,
            "checkpoint": claimed.checkpoint,
            "scratch": f"{self._scratch}/{run.id}",
            "lease_until": run.started_at + self._settings.lease if run.started_at else None,
        }

    async def _varied(self, claimed: ClaimedRun) -> dict[str, Any]:
        """Of a run that was asked for as another type than its job's."""
        variant = await self._store.run_variant(claimed.run.id)
        changes = {} if variant is None else variant.changes
        return varied(self._drivers.get(claimed.run.type), claimed.definition, changes)

    def _plan(self, claimed: ClaimedRun) -> _Plan:
        key = (claimed.run.job_id, claimed.run.revision, claimed.run.type)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            plan = self._plans[key] = self._planned(claimed)
        return plan

    def _planned(self, claimed: ClaimedRun) -> _Plan:
        run, definition, policies = claimed.run, claimed.definition, claimed.policies
        order = Order(
            run_id="",
            attempt=0,
            job_id=run.job_id,
            job_name=run.job_name,
            account_id=run.account_id,
            owner_id=run.owner_id,
            type=run.type,
            entry=self._drivers.get(run.type).entry,
            data=definition.data,
            timeout=policies.timeout.total_seconds() if policies.timeout else None,
            kill_grace=policies.kill_grace.total_seconds(),
            scratch=self._scratch,
            snapshots_before=snapshots_around(definition, "before"),
            snapshots_after=snapshots_around(definition, "after"),
            file_roots=self._file_roots(run.account_id),
            allow_private_addresses=self._settings.allow_private_addresses,
            smtp_hosts=self._settings.smtp_hosts,
            actions=action_orders(self._drivers, self._blobs, run.account_id, definition),
            limits=policies.limits,
        )
        return _Plan(order, needs_of_all(self._drivers, definition))

    def _file_roots(self, account_id: str) -> list[str]:
        if account_id not in self._roots:
            self._roots[account_id] = [str(root) for root in self._settings.roots(account_id)]
        return self._roots[account_id]
