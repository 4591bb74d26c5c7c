"""What a step changed, so that the screen repaints that and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Changes:
    """Ids of runs, jobs and workers together: ids are unique across kinds.

    `removed` keeps the last known object. `stale` names what must be asked for anew (`workers`, `fires`,
    `connections`, `knowledge_bases`, `agent`, `counts`, `jobs` (how many), `held`; `run`, `job` where an event was not understood), `logs` how many lines a run's log has by now.
    """

    added: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    removed: dict[str, object] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    logs: dict[str, int] = field(default_factory=dict)
    counts: bool = False
    held: bool = False
    """How many missed fires wait for an operator."""
    forgotten: int = 0
    """The newest run that was let go to bound the memory, by number: it and older ones are the agent's alone again."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.stale or self.logs or self.counts or self.held)

    def merge(self, later: Changes) -> None:
        """Take in what happened after this, as if both had been one step."""
        for item_id in later.added:
            self._add(item_id)
        self.changed |= later.changed - self.added
        for item_id, last in later.removed.items():
            self._remove(item_id, last)
        self.stale |= later.stale
        self.logs |= later.logs
        self.counts = self.counts or later.counts
        self.held = self.held or later.held
        self.forgotten = max(self.forgotten, later.forgotten)

    def _add(self, item_id: str) -> None:
        if self.removed.pop(item_id, None) is None:
            self.added.add(item_id)
        else:
            self.changed.add(item_id)

    def _remove(self, item_id: str, last: object) -> None:
        self.changed.discard(item_id)
        if item_id in self.added:
            self.added.discard(item_id)
        else:
            self.removed[item_id] = last


def swap(old: Mapping[str, object], new: Mapping[str, object]) -> Changes:
    """The changes from one state to another."""
    return Changes(
        added={key for key in new if key not in old},
        changed={key for key, item in new.items() if key in old and old[key] != item},
        removed={key: item for key, item in old.items() if key not in new},
    )
