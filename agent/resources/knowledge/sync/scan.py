"""A scan of the source, under way: what it covers and how far it is; stored with every batch."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from agent.resources.knowledge.sync.source import Bounds, Position
from agent.resources.knowledge.sync.values import from_json, to_json


@dataclass(frozen=True, slots=True)
class Scan:
    """`total` was counted at its start; `position` is that of the last row committed, None before the first."""

    bounds: Bounds
    total: int
    seen: int = 0
    position: Position | None = None

    def at(self, position: Position, seen: int) -> Scan:
        return replace(self, position=position, seen=self.seen + seen)

    def to_json(self) -> str:
        return json.dumps(
            {
                "whole": self.bounds.whole,
                "start": optional_to_json(self.bounds.start),
                "newest": optional_to_json(self.bounds.newest),
                "total": self.total,
                "seen": self.seen,
                "position": None if self.position is None else [to_json(value) for value in self.position],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Scan:
        stored = json.loads(text)
        position = stored["position"]
        return cls(
            Bounds(optional_from_json(stored["start"]), optional_from_json(stored["newest"]), stored["whole"]),
            stored["total"],
            stored["seen"],
            None if position is None else tuple(from_json(value) for value in position),
        )


def optional_to_json(value: Any) -> dict[str, Any] | None:
    return None if value is None else to_json(value)


def optional_from_json(stored: dict[str, Any] | None) -> Any:
    return None if stored is None else from_json(stored)
