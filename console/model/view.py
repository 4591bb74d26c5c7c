"""A view: the ids that match a filter, in an order, held still while somebody acts on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from console.model.changes import Changes
from console.model.order import Order

T = TypeVar("T")


class Where(Protocol):
    """What a filter has to be; shared.filters makes them."""

    def matches(self, item: object, now: datetime) -> bool: ...


@dataclass(slots=True)
class Repaint:
    """`ids`: shown rows whose cells changed. `moved`: rows came, went or changed places."""

    ids: set[str] = field(default_factory=set)
    moved: bool = False


class View(Generic[T]):
    """`rows` is what to draw, by id. While held it stands still: new rows wait, and rows that
    no longer belong stay, dimmed, with the last that is known of them. Only what comes below the last row is let in, as
    the next page does: nothing moves by it."""

    def __init__(self, items: Mapping[str, T], order: Order[T], where: Where | None, now: datetime) -> None:
        self._items = items
        self._order = order
        self._where = where
        self._held: Sequence[str] | None = None
        self._held_ids: frozenset[str] = frozenset()
        self._waiting: dict[str, None] = {}
        """In their order of arrival."""
        self._gone: dict[str, T] = {}
        self.refilter(now)

    @property
    def rows(self) -> Sequence[str]:
        return self._order.ids() if self._held is None else self._held

    @property
    def waiting(self) -> Sequence[T]:
        """New rows that wait until the view is let go."""
        return [item for item_id in self._waiting if (item := self._items.get(item_id)) is not None]

    @property
    def matching(self) -> int:
        """How many belong to the view, shown or waiting."""
        return len(self._order)

    def get(self, item_id: str) -> T | None:
        """What to draw for a row; for one that is gone, the last that was known."""
        item = self._items.get(item_id)
        return self._gone.get(item_id) if item is None else item

    def is_dimmed(self, item_id: str) -> bool:
        """Shown although it no longer belongs."""
        return self._held is not None and item_id not in self._order

    def apply(self, changes: Changes, now: datetime) -> Repaint:
        """Take in a step of the world; what is not this view's kind passes by."""
        repaint = Repaint()
        for item_id in changes.added:
            self._consider(item_id, now, repaint)
        for item_id in changes.changed:
            self._consider(item_id, now, repaint)
        for item_id, last in changes.removed.items():
            if self._drop(item_id, repaint) and self._held is not None:
                self._gone[item_id] = last  # type: ignore[assignment]  # it was in the order: it is of this kind
        if self._held is not None and changes.added:
            self._let_in_below(repaint)
        return repaint

    def refilter(self, now: datetime) -> Repaint:
        """Judge everything anew: after a change of the filter, or because time passed (`started<2h`)."""
        repaint = Repaint()
        for item_id in self._items:
            self._consider(item_id, now, repaint)
        return repaint

    def hold(self) -> None:
        """Keep the rows where they are from now on."""
        if self._held is None:
            self._held = tuple(self._order.ids())
            self._held_ids = frozenset(self._held)

    def release(self) -> bool:
        """Let the rows go where they belong; True if that moves any."""
        held, self._held = self._held, None
        self._held_ids = frozenset()
        self._gone.clear()
        self._waiting.clear()
        return held is not None and tuple(self._order.ids()) != held

    def _consider(self, item_id: str, now: datetime, repaint: Repaint) -> None:
        item = self._items.get(item_id)
        if item is None:
            return
        if self._where is not None and not self._where.matches(item, now):
            self._drop(item_id, repaint)
            return
        new = item_id not in self._order
        placed = self._order.put(item_id, item)
        if self._held is None:
            repaint.moved |= placed
            repaint.ids.add(item_id)
        elif item_id in self._held_ids:
            repaint.ids.add(item_id)
        elif new:
            self._waiting[item_id] = None

    def _let_in_below(self, repaint: Repaint) -> None:
        below: list[str] = []
        for item_id in reversed(self._order.ids()):
            if item_id in self._held_ids:
                break
            below.append(item_id)
        if below:
            assert self._held is not None
            self._held = (*self._held, *reversed(below))
            self._held_ids = self._held_ids | frozenset(below)
            for item_id in below:
                self._waiting.pop(item_id, None)
            repaint.moved = True

    def _drop(self, item_id: str, repaint: Repaint) -> bool:
        if not self._order.discard(item_id):
            return False
        if self._held is None:
            repaint.moved = True
        elif item_id in self._held_ids:
            repaint.ids.add(item_id)
        self._waiting.pop(item_id, None)
        return True
