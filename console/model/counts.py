"""How many runs there are in each state, at the agent: not only those that are loaded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.models import Run


class Counts:
    """Seeded by the agent, then kept by events. `exact` is False when an event could not be told apart
    (the run was not loaded, or a page had run ahead): then ask the agent again."""

    def __init__(self) -> None:
        self._by_state: dict[str, int] = {}
        self._position = 0
        self.exact = False

    def __getitem__(self, state: str) -> int:
        return self._by_state.get(state, 0)

    @property
    def total(self) -> int:
        return sum(self._by_state.values())

    def seed(self, by_state: Mapping[str, int], position: int) -> None:
        """What the agent counted when event `position` was its last."""
        self._by_state = {str(state): count for state, count in by_state.items()}
        self._position = position
        self.exact = True

    def born(self, run: Run, position: int) -> bool:
        """A run was created by event `position`; True if that changes a figure."""
        return self._shift(None, run.state, position)

    def moved(self, old: Run | None, new: Run, position: int) -> bool:
        """A run changed by event `position`; only a step from one version to the next tells from which state."""
        if position <= self._position:
            return False
        if old is None or new.version != old.version + 1:
            was_exact, self.exact = self.exact, False
            return was_exact
        return self._shift(old.state, new.state, position)

    def gone(self, run: Run | None, position: int) -> bool:
        """A run was deleted by event `position`; of one that is not known nobody can tell which figure it was in."""
        if position <= self._position:
            return False
        if run is None:
            was_exact, self.exact = self.exact, False
            return was_exact
        self._by_state[run.state] = max(0, self._by_state.get(run.state, 0) - 1)
        return True

    def _shift(self, source: str | None, target: str, position: int) -> bool:
        if position <= self._position or source == target:
            return False
        if source is not None:
            self._by_state[source] = max(0, self._by_state.get(source, 0) - 1)
        self._by_state[target] = self._by_state.get(target, 0) + 1
        return True
