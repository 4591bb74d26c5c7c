"""Whether a definition can be published: driver, parameters, names, schedule, and the world it speaks of."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.core.callers import Caller, Scope
from agent.core.driving import Manifest, Needs
from agent.core.granting import Granting, Grants
from agent.core.ports import Drivers
from shared.errors import Fault, InvalidInput
from shared.models import JobInput


class Checking:
    def __init__(self, drivers: Drivers, granting: Granting) -> None:
        self._drivers = drivers
        self._granting = granting

    async def check(self, caller: Caller, definition: JobInput) -> Manifest:
        """The definition's driver; InvalidInput names every wrong field under `type`, `actions` and `data`."""
        manifest = self._drivers.get(definition.type)
        if manifest.runs_programs:
            caller.require(Scope.CODE)
        if definition.actions:
            raise InvalidInput.one("actions", "jobs with actions are not supported by this version; leave it empty")
        if definition.datasets:
            raise InvalidInput.one("datasets", "jobs with datasets are not supported by this version; leave it empty")
        parameters = parse_parameters(manifest, definition.data)
        needs = manifest.needs(parameters)
        grants, faults = await self._granting.grant(caller.account_id, needs)
        if faults:
            raise InvalidInput([_place(fault, definition.data) for fault in faults])
        await self._check_world(manifest, parameters, grants)
        return manifest

    async def _check_world(self, manifest: Manifest, parameters: BaseModel, grants: Grants) -> None:
        if manifest.check is None:
            return
        check = _load(manifest.check)
        await asyncio.to_thread(check, parameters, grants.connections, grants.knowledge_bases)


def parse_parameters(manifest: Manifest, data: Mapping[str, Any]) -> BaseModel:
    """`data` as the driver's model; InvalidInput with fields under `data`."""
    try:
        return manifest.parameters.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(
            [
                Fault(".".join(["data", *map(str, fault["loc"])]), fault["msg"], fault.get("input"), fault["type"])
                for fault in error.errors(include_url=False)
            ]
        ) from None


def needs_of(manifest: Manifest, data: Mapping[str, Any]) -> Needs:
    return manifest.needs(parse_parameters(manifest, data))


def _place(fault: Fault, data: Mapping[str, Any]) -> Fault:
    """Put a missing name at the parameter that names it; a connection is named before a dot."""
    dotted = f"{fault.value}." if fault.code == "unknown_connection" else None
    for field, value in data.items():
        if isinstance(value, str) and (value.startswith(dotted) if dotted else value == fault.value):
            return Fault(f"data.{field}", fault.message, value, fault.code)
    return fault


def _load(entry: str) -> Callable[..., None]:
    module, _, name = entry.partition(":")
    function: Callable[..., None] = getattr(importlib.import_module(module), name)
    return function
