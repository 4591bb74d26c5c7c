"""Which drivers there are: the built-in folders beside this file, and packages with an entry point in `jobdeck.drivers`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import Any

import structlog

from agent.core.driving import Manifest
from shared.errors import InvalidInput

GROUP = "jobdeck.drivers"

_log = structlog.get_logger(__name__)


class DriverRegistry:
    """Implements `Drivers`. What cannot be loaded is left out and told in `faults`; the rest works."""

    def __init__(self, folder: Path | None = None) -> None:
        self.faults: dict[str, str] = {}
        """By the driver's folder or entry point: why it is not there."""
        self._manifests: dict[str, Manifest] = {}
        for origin, load in [*_built_in(folder or Path(__file__).parent), *_plug_ins()]:
            self._add(origin, load)

    def get(self, type_: str) -> Manifest:
        manifest = self._manifests.get(type_)
        if manifest is None:
            known = ", ".join(sorted(self._manifests))
            raise InvalidInput.one("type", f"there is no job type {type_!r}; there are {known}", type_)
        return manifest

    def find(self, type_: str) -> Manifest | None:
        return self._manifests.get(type_)

    def list(self) -> list[Manifest]:
        return [self._manifests[type_] for type_ in sorted(self._manifests)]

    def _add(self, origin: str, load: Callable[[], Any]) -> None:
        try:
            manifest = load()
        except Exception as error:  # a plug-in may raise anything; the others must not suffer
            self._refuse(origin, f"{type(error).__name__}: {error}")
            return
        if not isinstance(manifest, Manifest):
            self._refuse(origin, f"it is {type(manifest).__name__}, not a Manifest")
        elif manifest.type in self._manifests:
            self._refuse(origin, f"there is a driver of type {manifest.type!r} already")
        else:
            self._manifests[manifest.type] = manifest

    def _refuse(self, origin: str, why: str) -> None:
        self.faults[origin] = why
        _log.error("a driver is left out", driver=origin, why=why)


def _built_in(folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    for path in sorted(folder.glob("*/manifest.py")):
        module = f"agent.drivers.{path.parent.name}.manifest"
        yield module, partial(_load, module)


def _load(module: str) -> Any:
    return importlib.import_module(module).MANIFEST


def _plug_ins() -> Iterator[tuple[str, Callable[[], Any]]]:
    for point in _points(tuple(sys.path)):
        yield point.value, partial(_load_plug_in, point)


def _load_plug_in(point: EntryPoint) -> Any:
    """InvalidInput where it takes secrets as they are: definitions are stored, shown and exported as they are written."""
    manifest = point.load()
    if isinstance(manifest, Manifest) and (name := _taken_secret(manifest.parameters.model_json_schema())):
        message = f"its parameter {name!r} is a secret; let it be a secret's name, and say so in `needs`"
        raise InvalidInput.one("parameters", message, name)
    return manifest


def _taken_secret(schema: Any) -> str | None:
    """The name of a property that pydantic keeps to itself (SecretStr), wherever it stands."""
    for name, inner in schema.get("properties", {}).items():
        if any(each.get("writeOnly") for each in (inner, *inner.get("anyOf", ()))):
            return str(name)
    return next((found for each in schema.get("$defs", {}).values() if (found := _taken_secret(each))), None)


@lru_cache(maxsize=1)
def _points(_path: tuple[str, ...]) -> EntryPoints:
    """Of what is installed on that path: every package there is asked, which takes longer than all else here."""
    return entry_points(group=GROUP)
