"""Drivers that hand over what JSON has nothing for, and what no store holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunContext


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


@dataclass
class Hidden:
    text: str


def _endless() -> dict[str, Any]:
    endless: dict[str, Any] = {}
    endless["in"] = [endless]
    return endless


_ODD: dict[str, Any] = {
    "keys": {(1, 2): 3, None: 4},
    "bytes": b"ab\xff",
    "surrogate": "a\ud800b",
    "moment": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    "decimal": Decimal("1.10"),
    "set": {1},
    "hidden": [Hidden("my-secret"), b"my-secret", Path("/my-secret")],
    "endless": _endless(),
    "unspeakable": Unspeakable(),
}


def result(_context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    return {"odd": _ODD[data["what"]]}


def failure(_context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    raise DriverError("half", "half of it", result={"odd": _ODD[data["what"]]})


def step(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    with context.step("one", "One my-secret") as handle:
        handle.result({"odd": _ODD[data["what"]]})
    return {}


def checkpoint(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    context.save_checkpoint({"odd": _ODD[data["what"]]})
    context.log("further")
    while not context.cancelled.wait(1):
        pass
    return {}


def calls(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Something that no agent could store."""
    call, arguments = data["call"], data["arguments"]
    getattr(context, call)(*arguments)
    return {}


def without_words(_context: RunContext, _data: dict[str, Any]) -> dict[str, Any]:
    raise Unspeakable
