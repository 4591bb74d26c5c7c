"""Entries: `module:function` made into the function and the model of its parameters, once per worker."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import typing
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.core.driving import DriverError, RunFunction


@cache
def load(entry: str) -> tuple[RunFunction, type[BaseModel] | None]:
    """The function, and the model that its second parameter is annotated with (None: it takes the plain dict).

    Raises DriverError(kind='driver') naming what is wrong with the entry.
    """
    module, _, name = entry.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        return function, _model(function)
    except Exception as error:
        raise DriverError("driver", f"entry {entry!r} cannot be loaded: {type(error).__name__}: {error}") from error


def parameters(entry: str, data: dict[str, Any]) -> tuple[RunFunction, Any]:
    """The function and its parameters. DriverError(kind='parameters') if a newer driver no longer takes this data."""
    function, model = load(entry)
    if model is None:
        return function, data
    try:
        return function, model.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(f"data.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise DriverError("parameters", faults) from None


def preload(entries: list[str]) -> None:
    """Import ahead of the first order; what fails here fails again, and is told, when a run needs it."""
    for entry in entries:
        with contextlib.suppress(DriverError):
            load(entry)


def _model(function: Any) -> type[BaseModel] | None:
    names = list(inspect.signature(function).parameters)
    annotation = inspect.signature(function).parameters[names[1]].annotation
    if isinstance(annotation, str):
        # only this one: the context's type may be known to type checkers alone
        holder = type("_", (), {"__annotations__": {"it": annotation}, "__module__": function.__module__})
        annotation = typing.get_type_hints(holder).get("it")
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
