"""The rows of a list: a view of the world, causes of failures as rows of their own, still while somebody acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from console.model import FailureGroup, View
from console.widgets.table import Cell

T = TypeVar("T")
Groups = Callable[[], Sequence[FailureGroup]]

CAUSE = "cause:"
"""What the ids of rows begin with that stand for all failures of one cause."""


class Rows(Generic[T]):
    """A RowSource. `settle()` after the view changed; while held the causes stay as they are.

    `draw(row_id)` makes the cells. Causes with one failure have no row of their own.
    """

    def __init__(self, view: View[T], draw: Callable[[str], Sequence[Cell]], groups: Groups = tuple) -> None:
        self.view = view
        self._draw = draw
        self._groups = groups
        self._frozen: tuple[FailureGroup, ...] | None = None
        self._open: set[str] = set()
        self._ids: list[str] = []
        self._index: dict[str, int] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._member_ids: set[str] = set()
        self.settle()

    # As a source of the table.

    def __len__(self) -> int:
        return len(self._ids)

    def id_at(self, index: int) -> str | None:
        return self._ids[index] if 0 <= index < len(self._ids) else None

    def index_of(self, row_id: str) -> int | None:
        return self._index.get(row_id)

    def cells(self, row_id: str) -> Sequence[Cell]:
        return self._draw(row_id)

    def ids(self) -> Iterable[str]:
        """What there is to mark: also what a closed cause hides, but no causes."""
        return list(self.view.rows)

    # As the screen's own.

    @property
    def is_held(self) -> bool:
        return self._frozen is not None

    @property
    def causes(self) -> list[str]:
        """Rows of causes, in their order."""
        return list(self._members)

    def members(self, row_id: str) -> tuple[str, ...]:
        """The items that a row stands for: those of a cause, or itself."""
        return self._members.get(row_id, () if row_id.startswith(CAUSE) else (row_id,))

    def cause_row(self, item_id: str) -> str | None:
        """The row of the cause that an item belongs to."""
        return next((row for row, members in self._members.items() if item_id in members), None)

    def is_member(self, item_id: str) -> bool:
        """True for what stands under the row of its cause."""
        return item_id in self._member_ids

    @property
    def shown(self) -> Sequence[str]:
        """Rows in their order, hidden ones left out."""
        return self._ids

    def is_open(self, row_id: str) -> bool:
        return row_id in self._open

    def toggle(self, row_id: str, *, open_it: bool | None = None) -> None:
        """Show or hide the runs of a cause."""
        wanted = row_id not in self._open if open_it is None else open_it
        (self._open.add if wanted else self._open.discard)(row_id)
        self._lay_out()

    def hold(self) -> None:
        """Stay as it is from now on: what is new waits."""
        if self._frozen is None:
            self._frozen = tuple(self._groups())
            self.view.hold()

    def release(self) -> None:
        self._frozen = None
        self.view.release()
        self._lay_out()

    def settle(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        groups = self._groups() if self._frozen is None else self._frozen
        several = [group for group in groups if len(group.ids) > 1]
        self._members = {CAUSE + group.cause: group.ids for group in several}
        heads = {group.ids[0]: CAUSE + group.cause for group in several}
        hidden = {item for group in several if CAUSE + group.cause not in self._open for item in group.ids}
        self._member_ids = {item for group in several for item in group.ids}
        ids: list[str] = []
        for item_id in self.view.rows:
            if item_id in heads:
                ids.append(heads[item_id])
            if item_id not in hidden:
                ids.append(item_id)
        self._ids = ids
        self._index = {row_id: index for index, row_id in enumerate(ids)}
