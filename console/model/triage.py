"""Triage: what runs on top, then the failures by cause, then the rest."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from console.model.order import take
from shared.states import FINAL, RunState

if TYPE_CHECKING:
    from shared.models import Run


class Section(IntEnum):
    ACTIVE = 0
    FAILED = 1
    REST = 2


_ACTIVE_RANK = {RunState.RUNNING: 0, RunState.RETRYING: 1, RunState.PENDING: 2}

Place = tuple[Section, str, tuple[int, int, str]]
"""Section, cause (of failures), and the key inside it: rank, negative number, id."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one cause, newest first."""

    cause: str
    ids: tuple[str, ...]


def section(run: Run) -> Section:
    if run.state not in FINAL:
        return Section.ACTIVE
    return Section.FAILED if run.state is RunState.FAILED else Section.REST


def cause(run: Run) -> str:
    """What failures are grouped by: the error's fingerprint; without one its kind within the job."""
    if run.error is None:
        return f"unknown:{run.job_id}"
    return run.error.fingerprint or f"{run.error.kind}:{run.job_id}"


class TriageOrder:
    """Active: running, retrying, pending, each newest first. Failures: the cause that struck last comes first. Rest: newest first."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._active: list[tuple[int, int, str]] = []
        self._failed: dict[str, list[tuple[int, int, str]]] = {}
        self._rest: list[tuple[int, int, str]] = []
        self._ids: list[str] | None = []

    def put(self, item_id: str, item: Run) -> bool:
        place = _place(item_id, item)
        if self._places.get(item_id) == place:
            return False
        self.discard(item_id)
        self._places[item_id] = place
        insort(self._list(place), place[2])
        self._ids = None
        return True

    def discard(self, item_id: str) -> bool:
        place = self._places.pop(item_id, None)
        if place is None:
            return False
        take(self._list(place), place[2])
        if place[0] is Section.FAILED and not self._failed[place[1]]:
            del self._failed[place[1]]
        self._ids = None
        return True

    def ids(self) -> Sequence[str]:
        if self._ids is None:
            parts = (self._active, *(members for _, members in self._causes()), self._rest)
            self._ids = [item_id for part in parts for _, _, item_id in part]
        return self._ids

    def groups(self) -> list[FailureGroup]:
        """The causes in the order in which they stand in the list."""
        return [FailureGroup(name, tuple(key[2] for key in members)) for name, members in self._causes()]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._places

    def __len__(self) -> int:
        return len(self._places)

    def _list(self, place: Place) -> list[tuple[int, int, str]]:
        if place[0] is Section.FAILED:
            return self._failed.setdefault(place[1], [])
        return self._active if place[0] is Section.ACTIVE else self._rest

    def _causes(self) -> list[tuple[str, list[tuple[int, int, str]]]]:
        return sorted(self._failed.items(), key=lambda group: group[1][0])


def _place(item_id: str, run: Run) -> Place:
    where = section(run)
    rank = _ACTIVE_RANK.get(run.state, 0)
    return where, cause(run) if where is Section.FAILED else "", (rank, -run.number, item_id)
