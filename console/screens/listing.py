"""What the lists of runs, of jobs and of the audit have in common: views, filter, rows that stand still while somebody acts, details."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.containers import Container
from textual.widget import Widget

from console.model import Changes, Order, View
from console.render.ages import minute_of
from console.screens.filling import FillingScreen
from console.screens.filtering import FilteringScreen
from console.screens.matching import Matcher
from console.screens.rows import CAUSE, Groups, Rows
from console.screens.views import SavedView
from console.session import ConsoleSession
from console.widgets.detail import Detail
from console.widgets.list_table import ListTable
from console.widgets.table import Cell, Column
from console.widgets.table.messages import MarksChanged, RowHighlighted, RowSelected, SortRequested
from console.widgets.tabs import Tab, Tabs

if TYPE_CHECKING:
    from rich.text import Text

    from console.widgets.held_line import HeldLine
    from shared.filters import Kind

T = TypeVar("T")

WIDE = 120
"""Columns from which the detail stands beside the list."""


_LEAVING = ("log", "why", "trail")
"""Acts after which one comes back to the row."""


class ListScreen(FillingScreen, FilteringScreen, Generic[T]):
    """A subclass gives the kind, its views, columns, orders, cells and details; `open_row` and its acts."""

    KIND: ClassVar[Kind]
    VIEWS: ClassVar[Sequence[SavedView]]
    COLUMNS: ClassVar[Sequence[Column]]
    SORTS: ClassVar[Sequence[tuple[str, bool]]]
    """(column, descending), the first is what the list begins with."""
    TIMED: ClassVar[tuple[str, ...]]
    """Columns whose texts change with the time."""
    TELLS_HELD: ClassVar[bool] = True
    """Whether a line says that missed fires wait for the operator."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-high")]

    DEFAULT_CSS = """
    ListScreen #body { layout: vertical; height: 1fr; }
    ListScreen Detail { height: 2; }
    ListScreen.-low Detail { display: none; }
    ListScreen.-wide #body { layout: horizontal; }
    ListScreen.-wide VirtualTable { width: 1fr; }
    ListScreen.-wide Detail { display: block; height: 1fr; width: 34%; min-width: 40; max-width: 70; border-left: solid $panel; }
    """

    def __init__(self, session: ConsoleSession, view: str = "") -> None:
        super().__init__(session)
        remembered = session.memory.list(self.NAME)
        wanted = view or remembered.get("view", "")
        self.saved = next((each for each in self.VIEWS if each.name == wanted), self.VIEWS[0])
        self.sort = next((each for each in self.SORTS if each[0] == remembered.get("sort")), self.SORTS[0])
        self.matching: int | None = None
        self.rows: Rows[T] = self._make_rows()
        self._pinned: frozenset[str] = frozenset()
        self._judged_at: datetime | None = None
        self.tabs = Tabs(session.look)
        self.held: HeldLine | None = None
        self.table = ListTable(self.rows, self.COLUMNS, empty="connecting…", on_rest=self._let_in)
        self.detail = Detail()

    # What a subclass gives.

    @property
    @abstractmethod
    def items(self) -> Mapping[str, T]:
        """All that is known."""

    @abstractmethod
    def make_order(self) -> tuple[Order[T], Groups]:
        """A new order for `self.sort`, and its causes (none unless it groups)."""

    @abstractmethod
    def draw(self, row_id: str) -> Sequence[Cell]:
        """The cells of a row; KeyError when nothing is known of it."""

    @abstractmethod
    def describe(self, row_id: str, *, wide: bool) -> Sequence[Text]:
        """The detail's lines; two where it is not wide."""

    @abstractmethod
    def next_change(self, item: T, now: datetime) -> float | None:
        """Seconds until the row reads differently."""

    @abstractmethod
    def open_row(self, row_id: str) -> None:
        """Enter."""

    # What it does of itself.

    @property
    def where(self) -> str:
        """View and filter together, as the agent understands them."""
        return f"{self.saved.where} {self.filter_text}".strip()

    @property
    def targets(self) -> list[T]:
        """What an act goes to: what is marked, or else the cursor's row, or all runs of its cause."""
        row_ids = self.table.marks or ({self.table.cursor_id} if self.table.cursor_id else set())
        ids = dict.fromkeys(item for row in row_ids for item in self.rows.members(row))
        found = ((item_id, self.rows.view.get(item_id)) for item_id in ids)
        return [item for _, item in found if item is not None]

    @property
    def here(self) -> T | None:
        """The item under the cursor; of a cause its newest."""
        row_id = self.table.cursor_id
        members = self.rows.members(row_id) if row_id else ()
        return self.rows.view.get(members[0]) if members else None

    @property
    def language(self) -> Kind:
        return self.KIND

    def compose_body(self) -> Iterable[Widget]:
        yield self.tabs
        yield Container(self.table, self.detail, id="body")

    def on_mount(self) -> None:
        """Beside those of the base classes, which Textual calls too."""
        self._show_sort()
        self._show_tabs()
        self._show_held()

    def take(self, changes: Changes) -> None:
        if self.table.is_acting:
            self.rows.hold()
        repaint = self.rows.view.apply(changes, self.session.now())
        if repaint.moved:
            self.rows.settle()
            self.table.order_changed()
        self.table.change_rows(self._rows_of(repaint.ids))
        self._show_tabs()
        self._show_held()
        self._show_detail()
        self.fill()

    def look_again(self, now: datetime) -> float | None:  # type: ignore[override]
        self.table.change_rows(self.table.visible_ids, self.TIMED)
        self._judge_anew(now)
        self._show_detail()
        waits = [self._wait(row_id, now) for row_id in self.table.visible_ids]
        return min((wait for wait in waits if wait is not None), default=None)

    def show_view(self, name: str) -> bool:
        """Another saved view; False when there is none of that name."""
        found = next((each for each in self.VIEWS if each.name.startswith(name.lower())), None)
        if found is None:
            return False
        self.saved = found
        self.session.memory.keep(self.NAME, view=found.name)
        self.start_anew(to_top=True)
        return True

    def show_filter(self, text: str) -> None:
        self.filter_text = text.strip()
        self.start_anew(to_top=False)

    def before_act(self, act: str) -> None:
        if act in _LEAVING:
            self.table.begin_acting()

    def act_next_view(self) -> None:
        self._step_view(1)

    def act_previous_view(self) -> None:
        self._step_view(-1)

    def back_further(self) -> None:
        """To the first view, then to the rows as they come in; at last nothing is left to leave."""
        if self.saved is not self.VIEWS[0]:
            self.show_view(self.VIEWS[0].name)
        else:
            self.table.rest()

    def filter_left(self) -> None:
        self.set_focus(self.table)
        self._show_tabs()

    def on_virtual_table_row_highlighted(self, _: RowHighlighted) -> None:
        self._pin()
        self._show_detail()
        self.refresh_footer()
        self.schedule_look()
        self.fill()

    def on_virtual_table_row_selected(self, message: RowSelected) -> None:
        self.table.begin_acting()
        if message.row_id.startswith(CAUSE):
            self.toggle(message.row_id)
        else:
            self.open_row(message.row_id)

    def on_virtual_table_marks_changed(self, message: MarksChanged) -> None:
        self._pin()
        self.refresh_footer()
        if message.count > 1 and message.count == len(self.rows.view.rows) and not self.window.at_end:
            self.session.shell.say(f"marked the {message.count:,} that are loaded; there may be more", "warning")

    def on_virtual_table_sort_requested(self, _: SortRequested) -> None:
        """The table knows columns only; the order of triage has none."""
        self.sort = self.SORTS[(self.SORTS.index(self.sort) + 1) % len(self.SORTS)]
        self.session.memory.keep(self.NAME, sort=self.sort[0])
        self._show_sort()
        self.start_anew(to_top=True)

    def on_resize(self) -> None:
        self._show_detail()
        self.call_after_refresh(self._show_detail)

    def toggle(self, cause_row: str) -> None:
        self.rows.toggle(cause_row)
        self.table.set_source(self.rows)
        self.refresh_footer()

    def standing(self) -> tuple[int | None, int, int]:
        cursor = self.table.cursor_id
        return (self.rows.index_of(cursor) if cursor else 0), len(self.rows), len(self.items)

    # Helpers.

    def _judge_anew(self, now: datetime) -> None:
        """`started<2h` lets runs go as the time passes; a filter's spans are looked at once a minute."""
        minute = minute_of(now)
        if self._judged_at == minute or not any(sign in self.filter_text for sign in "<>"):
            return
        self._judged_at = minute
        if self.rows.view.refilter(now).moved:
            self.rows.settle()
            self.table.order_changed()

    def _show_held(self) -> None:
        """Made when it is first needed: the first frame does without it."""
        held = self.session.world.held
        if self.held is None and held.fires and self.TELLS_HELD:
            from console.widgets.held_line import HeldLine

            self.held = HeldLine(self.session.look, self.session.keymap.sign("catch_up"))
            self.mount(self.held, after=self.tabs)
        if self.held is not None:
            self.held.show_held(*held)

    def _make_rows(self) -> Rows[T]:
        order, groups = self.make_order()
        view = View(self.items, order, self._matcher(), self.session.now())
        return Rows(view, self.draw, groups)

    def _matcher(self) -> Matcher | None:
        return Matcher(self.where, self.KIND, self.session) if self.where else None

    def start_anew(self, *, to_top: bool) -> None:
        self.rows = self._make_rows()
        self.table.set_source(self.rows)
        if to_top:
            self.table.rest()
        self.window.restart()
        self._show_tabs()
        self._show_detail()
        self.refresh_footer()
        self.schedule_look()
        self.load_first()

    def _let_in(self) -> None:
        self.rows.release()
        self._show_tabs()

    def _rows_of(self, ids: Iterable[str]) -> set[str]:
        """The rows that say something of these items: themselves and their causes."""
        ids = set(ids)
        return ids | {row for row in self.rows.causes if not ids.isdisjoint(self.rows.members(row))}

    def _wait(self, row_id: str, now: datetime) -> float | None:
        members = self.rows.members(row_id)
        item = self.rows.view.get(members[0]) if members else None
        return None if item is None else self.next_change(item, now)

    def _show_tabs(self) -> None:
        world = self.session.world
        tabs = [Tab(each.title, each.count(world), each is self.saved, self._tab_style(each)) for each in self.VIEWS]
        self.tabs.show_tabs(tabs, self._news())
        self.table.say_empty(self.empty_text())

    def _tab_style(self, _: SavedView) -> str:
        return ""

    def _news(self) -> str:
        parts = [self.filter_told] if self.filter_told else []
        waiting = self.rows.view.waiting
        if waiting:
            parts.append(f"▲ {len(waiting):,} new{self.alarm_of(waiting)}")
        return "  ".join(parts)

    def alarm_of(self, waiting: Iterable[T]) -> str:  # noqa: ARG002
        """What must not wait unseen among the rows that do."""
        return ""

    def empty_text(self) -> str:
        world = self.session.world
        if world.link.heard_at is None:
            return "connecting…" if world.link.reason == "connecting" else world.link.reason
        if self.where:
            return f"nothing matches {self.where!r}; esc clears it"
        can_make = "create" in self.ACTS and self.session.can("edit")
        hint = f"; {self.session.keymap.sign('create')} creates a job" if can_make else ""
        return f"no {self.KIND}s yet{hint}"

    def _show_detail(self) -> None:
        row_id = self.table.cursor_id
        wide = self.app.size.width >= WIDE
        known = row_id is not None and (row_id.startswith(CAUSE) or self.rows.view.get(row_id) is not None)
        self.detail.show(self.describe(row_id, wide=wide) if known and row_id else ())

    def _show_sort(self) -> None:
        self.table.show_sort(self.sort[0], descending=self.sort[1])

    def _step_view(self, step: int) -> None:
        at = self.VIEWS.index(self.saved)
        self.show_view(self.VIEWS[(at + step) % len(self.VIEWS)].name)

    def _pin(self) -> None:
        cursor = {self.table.cursor_id} if self.table.cursor_id else set()
        others, self._pinned = self.session.world.pinned - self._pinned, self.table.marks | cursor
        self.session.world.pinned = others | self._pinned
