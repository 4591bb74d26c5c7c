"""What the steps of a run have brought so far: the job's own driver as `main`, then its actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

MAIN = "main"
"""The name of the step that the job's own driver is."""

StepEnd = Literal["completed", "failed", "skipped"]


class StepDone(BaseModel):
    """How a step ended: kept in the run's checkpoint, read by conditions and templates. `message`: why it failed or was
    skipped."""

    model_config = ConfigDict(extra="ignore")

    state: StepEnd
    result: dict[str, Any] = {}
    message: str = ""


@dataclass(slots=True)
class Steps:
    """The steps that are over, in order. Each is found by its action's id, or by its name where no other has it."""

    done: dict[str, StepDone] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def find(self, key: str) -> StepDone | None:
        return self.done.get(key) or self.done.get(self.names.get(key, ""))

    def results(self) -> dict[str, dict[str, Any]]:
        """By id and by name; of a step that was skipped or failed without a result: {}."""
        by_id = {step: done.result for step, done in self.done.items()}
        by_name = {name: by_id[step] for name, step in self.names.items() if step in by_id}
        return {**by_name, **by_id}

    def any_failed(self) -> bool:
        return any(done.state == "failed" for done in self.done.values())

    def __iter__(self) -> Iterator[tuple[str, StepDone]]:
        return iter(self.done.items())


def names_of(actions: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """(id, name) of each action -> id by name, of the names that only one has and that are nobody's id."""
    pairs = list(actions)
    ids = {MAIN, *(action_id for action_id, _ in pairs)}
    found: dict[str, list[str]] = {}
    for action_id, name in pairs:
        if name and name not in ids:
            found.setdefault(name, []).append(action_id)
    return {name: holders[0] for name, holders in found.items() if len(holders) == 1}
