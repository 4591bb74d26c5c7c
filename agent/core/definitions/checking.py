"""Whether a definition can be published: driver, parameters, names, schedule, and the world it speaks of."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from agent.core.actions.checking import ActionChecking, under
from agent.core.actions.planning import needs_of_all
from agent.core.definitions.parameters import parse_parameters
from agent.core.driving import Manifest, Needs
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports import Blobs, Drivers
from agent.core.threads import look
from agent.core.world.attached import aliases_of, dataset_keys, faults_of, unaliased
from agent.core.world.granting import Granting, Grants
from agent.core.world.using import Users
from shared.errors import Fault, InvalidInput
from shared.models import JobInput


class Checking:
    def __init__(self, drivers: Drivers, granting: Granting, blobs: Blobs) -> None:
        self._drivers = drivers
        self._granting = granting
        self._actions = ActionChecking(drivers, blobs)

    async def check(
        self,
        caller: Caller,
        definition: JobInput,
        *,
        owner_id: str | None = None,
        before: JobInput | None = None,
    ) -> Manifest:
        """The definition's driver; InvalidInput names every wrong field under `type`, `actions` and `data`.

        Its runs act as `owner_id` (None: the caller), who must be allowed to use what it names; so must the caller, but
        where a change (`before`: what was) leaves alone what is used, and how.
        """
        users = Users(owner_id or caller.user_id, _asker(caller, definition, before))
        manifest = self._drivers.get(definition.type)
        if manifest.action_only:
            message = f"{definition.type!r} is an action of a job, not a job; put it into `actions`"
            raise InvalidInput.one("type", message, definition.type)
        if any(known.runs_programs for known in self._manifests(definition) if known is not None):
            caller.require(Scope.CODE)
        faults = list(self._actions.faults(caller.account_id, definition))
        faults += await self._of_datasets(caller, users, definition)
        aliases = aliases_of(definition)
        faults += await self._of_part(caller, users, manifest, definition.data, aliases)
        for place, action in enumerate(definition.actions):
            faults += [
                under(f"actions.{place}", fault)
                for fault in await self._of_part(caller, users, self._drivers.find(action.type), action.data, aliases)
            ]
        if faults:
            raise InvalidInput(faults)
        return manifest

    async def withheld(self, caller: Caller, definition: JobInput, owner_id: str, owner: str) -> list[Fault]:
        """What the definition names and the caller, or runs that act as that user, may not use. `owner`: that user in
        words. What is not there, or does not read, was wrong before."""
        users = Users(owner_id, None if caller.is_admin else caller.user_id, owner)
        found, aliases = await self._of_datasets(caller, users, definition), aliases_of(definition)
        actions = [(f"actions.{place}.", action.type, action.data) for place, action in enumerate(definition.actions)]
        for place, type_, data in (("", definition.type, definition.data), *actions):
            manifest = self._drivers.find(type_)
            if manifest is None:
                continue
            with suppress(InvalidInput):
                _, _, faults = await self._granted(caller, users, manifest, data, aliases)
                placed = [_place(fault, data) for fault in faults]
                found += [replace(fault, field=f"{place}{fault.field}") for fault in placed]
        return [fault for fault in found if fault.withheld]

    def runs_programs(self, definition: JobInput) -> bool:
        """Of one whose driver is gone nobody knows that it does not."""
        return any(known is None or known.runs_programs for known in self._manifests(definition))

    def _manifests(self, definition: JobInput) -> list[Manifest | None]:
        return [
            self._drivers.find(type_) for type_ in (definition.type, *(action.type for action in definition.actions))
        ]

    async def _of_datasets(self, caller: Caller, users: Users, definition: JobInput) -> list[Fault]:
        needs = Needs(datasets=dataset_keys(definition))
        _, faults = await self._granting.grant(caller.account_id, needs, users)
        return list(faults_of(definition, {str(fault.value): fault for fault in faults}))

    async def _of_part(
        self,
        caller: Caller,
        users: Users,
        manifest: Manifest | None,
        data: Mapping[str, Any],
        aliases: Mapping[str, str],
    ) -> list[Fault]:
        """What is wrong with the parameters of the job's own driver or of an action, under `data`."""
        if manifest is None:
            return []
        faults: list[Fault] = []
        try:
            parameters, grants, missing = await self._granted(caller, users, manifest, data, aliases)
            faults += [_place(fault, data) for fault in missing]
            if all(fault.code == "unknown_knowledge_base" for fault in missing):
                await self._check_world(manifest, parameters, grants)
        except InvalidInput as error:
            faults += error.faults
        return faults

    async def _granted(
        self, caller: Caller, users: Users, manifest: Manifest, data: Mapping[str, Any], aliases: Mapping[str, str]
    ) -> tuple[BaseModel, Grants, list[Fault]]:
        parameters = parse_parameters(manifest, data)
        needs = unaliased(manifest.needs(parameters), aliases)
        grants, faults = await self._granting.grant(caller.account_id, needs, users)
        return parameters, grants, faults

    def needs(self, definition: JobInput) -> Needs:
        """What the runs of a definition that was checked work with."""
        return needs_of_all(self._drivers, definition)

    async def _check_world(self, manifest: Manifest, parameters: BaseModel, grants: Grants) -> None:
        if manifest.check is None:
            return
        check = _load(manifest.check)
        await look(check, parameters, grants.connections, grants.knowledge_bases)


def _asker(caller: Caller, definition: JobInput, before: JobInput | None) -> str | None:
    if caller.is_admin:
        return None
    used = ("type", "data", "actions", "datasets")
    is_same = before is not None and all(getattr(definition, name) == getattr(before, name) for name in used)
    return None if is_same else caller.user_id


def _place(fault: Fault, data: Mapping[str, Any]) -> Fault:
    """Put a missing name at the parameter that names it; a connection is named before a dot."""
    for field, value in data.items():
        if isinstance(value, str) and _is_named(fault, value):
            return replace(fault, field=f"data.{field}", value=value)
    return fault


def _is_named(fault: Fault, value: str) -> bool:
    before_dot = value.startswith(f"{fault.value}.")
    if fault.code == "unknown_connection":
        return before_dot
    return value == fault.value or (fault.code == "not_permitted" and before_dot)


def _load(entry: str) -> Callable[..., None]:
    module, _, name = entry.partition(":")
    function: Callable[..., None] = getattr(importlib.import_module(module), name)
    return function
