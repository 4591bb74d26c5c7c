"""Lists that the agent answers whole, or a page of: sections as tabs, rows, and the detail of the one under the cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import work
from textual.containers import Container
from textual.widget import Widget

from console.model import Changes
from console.screens.filtering import FilteringScreen
from console.session import ConsoleSession
from console.widgets.detail import Detail
from console.widgets.footer import Offer
from console.widgets.list_table import ListTable
from console.widgets.table import Cell, Column, ListSource
from console.widgets.table.messages import MarksChanged, RowHighlighted, RowSelected
from console.widgets.table.pace import Pace
from console.widgets.tabs import Tab, Tabs
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from shared.filters import Fields

WIDE = 120
_LOOK_EVERY = 5.0
"""Seconds between two looks at what no event tells."""


@dataclass(frozen=True, slots=True)
class Section:
    """One tab. `load` asks the agent (JobdeckError when it cannot say); `key` names an item for good, `cells` and
    `describe` draw it; `empty` stands where nothing is. `kinds` are the news after which it reads differently."""

    name: str
    title: str
    columns: Sequence[Column]
    load: Callable[[], Awaitable[Sequence[Any]]]
    key: Callable[[Any], str]
    cells: Callable[[Any], Sequence[Cell]]
    describe: Callable[[Any], Sequence[Text]]
    empty: str
    kinds: frozenset[str] = frozenset()


class RosterScreen(FilteringScreen):
    """Asks while it is looked at, and only then; a filter takes from what was answered. A subclass gives `sections()`, and acts of its own beside these."""

    ACTS: ClassVar[tuple[str, ...]] = ("filter", "next_view", "previous_view")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-high")]
    DEFAULT_CSS = """
    RosterScreen #body { layout: vertical; height: 1fr; }
    RosterScreen Detail { height: 2; }
    RosterScreen.-low Detail { display: none; }
    RosterScreen.-wide #body { layout: horizontal; }
    RosterScreen.-wide VirtualTable { width: 1fr; }
    RosterScreen.-wide Detail { display: block; height: 1fr; width: 38%; min-width: 40; max-width: 80; border-left: solid $panel; }
    """

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__(session)
        self._sections = tuple(self.sections())
        wanted = session.memory.list(self.NAME).get("view", "")
        self.section = next((each for each in self._sections if each.name == wanted), self._sections[0])
        self.loaded: Sequence[Any] = ()
        """What the agent has answered; `items` are those of it that the filter takes."""
        self.items: dict[str, Any] = {}
        self.has_more = False
        """Whether the agent has more of the section than it was asked for."""
        self._left: dict[str, Any] = {}
        """What has left the list, and stands there dimmed as long as the cursor is on it."""
        self.tabs = Tabs(session.look)
        self.source = ListSource((), self._draw)
        self.table = ListTable(self.source, self.section.columns, empty="asking the agent…", on_rest=lambda: None)
        self.detail = Detail()
        self._pace = Pace(self._load_soon, self.set_timer, 1.0)
        self._is_decided = False
        self._asked_for: Section | None = None

    # What a subclass gives.

    def sections(self) -> Iterable[Section]:
        """One or more, in the order of their tabs. Textual's classes have a metaclass of their own, so that nothing but
        this says that a subclass must give them."""
        raise NotImplementedError

    # What it does of itself.

    @property
    def targets(self) -> list[Any]:
        """What an act goes to: what is marked, or else the cursor's row."""
        return [self.items[row_id] for row_id in self.source.ids() if row_id in self.table.targets]

    @property
    def here(self) -> Any:
        """The item under the cursor; None where there is none."""
        return self.items.get(self.table.cursor_id or "")

    @property
    def language(self) -> Fields:
        from shared.filters import fields_of

        return fields_of(column.key for column in self.section.columns)

    def compose_body(self) -> Iterable[Widget]:
        yield self.tabs
        yield Container(self.table, self.detail, id="body")

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self._show_tabs()
        self.set_interval(_LOOK_EVERY, self._look_for_news)
        self.load()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.load()

    def take(self, changes: Changes) -> None:
        news = changes.stale | ({"held"} if changes.held else set())
        if self.is_current and news & self.section.kinds:
            self._pace.request()
        if changes.added:  # rows speak of jobs by their names
            self.table.change_rows(self.table.visible_ids)

    def look_again(self, now: datetime) -> float | None:  # type: ignore[override]
        """Ages of seconds are not told: on the minute is often enough."""
        self.table.change_rows(self.table.visible_ids)
        self._show_detail()
        return 60.0 - now.second

    def act_next_view(self) -> None:
        self._step(1)

    def act_previous_view(self) -> None:
        self._step(-1)

    def back_further(self) -> None:
        """To the first section, then to the screen before."""
        if self.section is not self._sections[0]:
            self.show_section(self._sections[0].name)
        else:
            self.leave()

    def leave(self) -> None:
        """esc, and nothing is left to clear: one of the screens that are always there stays."""
        self.table.rest()

    def show_section(self, name: str) -> bool:
        """False when there is none of that name."""
        found = next((each for each in self._sections if each.name.startswith(name.lower())), None)
        if found is None:
            return False
        if found.columns is not self.section.columns:
            self.filter_text = ""
        self.section, self.loaded, self.items, self._left, self.has_more = found, (), {}, {}, False
        self.session.memory.keep(self.NAME, view=found.name)
        self.source = ListSource((), self._draw)
        self.table.set_columns(found.columns)
        self.table.set_source(self.source)
        self.table.set_marks(())
        self.table.say_empty("asking the agent…")
        self._show_tabs()
        self.load()
        return True

    def show_filter(self, text: str) -> None:
        self.filter_text = text.strip()
        self._is_decided = True
        self._show(self.loaded)

    def filter_left(self) -> None:
        self.set_focus(self.table)
        self._show_tabs()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Ask for the section anew; the cursor stays with its row."""
        section = self.section
        with self._first_answer(section):
            try:
                found = await section.load()
            except JobdeckError as error:
                self.table.say_empty(error.message)
                if self.items and self.session.world.link.online:
                    self.session.shell.say(error.message, "error")
                return
            if section is self.section and self.is_attached:
                self._show(found)

    def decided(self) -> None:
        """An act of the operator's own has changed the list: what left it goes at once, and marks with it."""
        self._is_decided = True
        self.table.set_marks(())
        self.load()

    def on_virtual_table_row_highlighted(self, _: RowHighlighted) -> None:
        self._show_detail()
        self.refresh_footer()

    def on_virtual_table_marks_changed(self, _: MarksChanged) -> None:
        self.refresh_footer()

    def on_virtual_table_row_selected(self, _: RowSelected) -> None:
        self.open_here()

    def open_here(self) -> None:
        """Enter."""

    def on_resize(self) -> None:
        self._show_detail()
        self.call_after_refresh(self._show_detail)

    # Helpers.

    def _first_answer(self, section: Section) -> AbstractContextManager[None]:
        """Keys that come with the one that opened a section mean its rows."""
        is_first, self._asked_for = section is not self._asked_for, section
        waits = is_first and self.is_current and self.session.world.link.online
        return self.session.shell.keys_held(brief=True) if waits else nullcontext()

    def _show(self, found: Sequence[Any]) -> None:
        self.loaded = found
        old, self.items = self.items, {self.section.key(item): item for item in self._filtered(found)}
        self._left = {key: item for key, item in (self._left | old).items() if key == self.table.cursor_id}
        self.source.replace(self.items)
        if self._is_decided:
            self._is_decided = False
            self.table.set_source(self.source)
        elif list(old) != list(self.items):
            self.table.add_rows(self._newcomers(old))
        self.table.set_marks(self.table.marks & self.items.keys())
        self.table.change_rows([key for key, item in self.items.items() if old.get(key) != item])
        filtered_out = self.filter_text and found
        self.table.say_empty(
            f"nothing matches {self.filter_text!r}; esc clears it" if filtered_out else self.section.empty
        )
        self._show_tabs()
        self._show_detail()
        self.refresh_footer()
        self.schedule_look()

    def _newcomers(self, old: Collection[str]) -> list[str]:
        """What came in among the rows that were there, and waits while somebody acts; what follows them was asked for."""
        known = [place for place, key in enumerate(self.items) if key in old]
        return [key for key in list(self.items)[: max(known, default=0)] if key not in old]

    def _filtered(self, found: Sequence[Any]) -> Iterable[Any]:
        """Those whose rows say what the filter asks for."""
        if not self.filter_text:
            return found
        from shared.filters import parse_rows

        wanted, keys = parse_rows(self.filter_text, self.language), list(self.language)
        return [
            item
            for item in found
            if wanted.matches(dict(zip(keys, map(_plain, self.section.cells(item)), strict=True)))
        ]

    def _draw(self, row_id: str) -> Sequence[Cell]:
        item = self.items.get(row_id)
        return self.section.cells(self._left[row_id] if item is None else item)

    def _show_tabs(self) -> None:
        self.tabs.show_tabs(
            [
                Tab(each.title, len(self.items) or None, is_here=True, is_part=self.has_more)
                if each is self.section
                else Tab(each.title, None, is_here=False)
                for each in self._sections
            ],
            self.filter_told,
        )

    def _show_detail(self) -> None:
        here = self.here
        self.detail.show(self.section.describe(here) if here is not None else ())

    def _step(self, step: int) -> None:
        at = self._sections.index(self.section)
        self.show_section(self._sections[(at + step) % len(self._sections)].name)

    def _look_for_news(self) -> None:
        if self.is_current and self.session.world.link.online:
            self._pace.request()

    def _load_soon(self) -> None:
        self.load()


def views(sections: Sequence[Section]) -> list[Offer]:
    """What all lists can: the filter, and the way to the other sections, where there are some."""
    others = [Offer("next_view"), Offer("previous_view", shown=False)] if len(sections) > 1 else []
    return [Offer("filter"), *others]


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.plain
