"""Where a table's rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from rich.text import Text
from textual.content import Content

Cell = str | Text | Content


class RowSource(Protocol):
    """Rows in the order in which they are to be shown, filter and sort applied. Every call answers at once."""

    def __len__(self) -> int: ...

    def id_at(self, index: int) -> str | None:
        """The id of a row; None while its page is not loaded."""
        ...

    def index_of(self, row_id: str) -> int | None:
        """The place of a row; None when it is not (or no longer) among the rows."""
        ...

    def cells(self, row_id: str) -> Sequence[Cell]:
        """One cell a column. KeyError when nothing is known of the row; one that left may still be answered."""
        ...

    def ids(self) -> Iterable[str]:
        """All ids now, for "mark all"; a source of pages answers those that match, loaded or not."""
        ...


class ListSource:
    """Rows whose ids are all at hand; `cells` is asked for what is drawn only."""

    def __init__(self, ids: Iterable[str], cells: Callable[[str], Sequence[Cell]]) -> None:
        self._cells = cells
        self.replace(ids)

    def replace(self, ids: Iterable[str]) -> None:
        """Take a new order; tell the table by `order_changed()` or `add_rows()`."""
        self._ids = list(ids)
        self._index = {row_id: index for index, row_id in enumerate(self._ids)}

    def __len__(self) -> int:
        return len(self._ids)

    def id_at(self, index: int) -> str | None:
        return self._ids[index] if 0 <= index < len(self._ids) else None

    def index_of(self, row_id: str) -> int | None:
        return self._index.get(row_id)

    def cells(self, row_id: str) -> Sequence[Cell]:
        return self._cells(row_id)

    def ids(self) -> Iterable[str]:
        return self._ids
