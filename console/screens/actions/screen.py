"""The actions of a job in their order: add, change, move, take out, try."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.widget import Widget

from console.screens.actions.book import ActionBook
from console.screens.actions.lines import action_lines, as_options
from console.screens.base import ConsoleScreen
from console.screens.create.picks import Picks
from console.session import ConsoleSession
from console.widgets.footer import Offer
from console.widgets.line import Line, safe_text
from console.widgets.panel import Panel
from shared.errors import JobdeckError

_EMPTY = "nothing follows the job's own work yet; c adds a mail or a webhook"


class ActionsScreen(ConsoleScreen):
    """`left` is called when the operator has gone back."""

    NAME = "actions"
    ACTS: ClassVar[tuple[str, ...]] = ("open", "add_action", "remove", "move_up", "move_down", "preview", "go_on")
    AUTO_FOCUS = "Picks"

    DEFAULT_CSS = """
    ActionsScreen > Line { background: $panel; }
    ActionsScreen Picks { height: auto; max-height: 50%; min-height: 3; }
    ActionsScreen Panel { height: 1fr; background: $surface; }
    """

    def __init__(self, session: ConsoleSession, book: ActionBook, left: Callable[[], None]) -> None:
        super().__init__(session)
        self.book = book
        self._left = left
        self._head = Line()
        self.picks = Picks(session.look, can_focus=True, id="actions")
        self._panel = Panel()

    def compose_body(self) -> Iterable[Widget]:
        yield self._head
        yield self.picks
        yield self._panel

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self._show(0)

    def offers(self) -> Sequence[Offer]:
        add = Offer("add_action")
        if not self.book.actions:
            return (add, Offer("back"))
        several = len(self.book.actions) > 1
        moves = [Offer("move_down"), Offer("move_up")] if several else []
        return (
            Offer("open", "change"),
            add,
            Offer("remove"),
            Offer("preview"),
            *moves,
            Offer("back"),
            Offer("go_on", "done", shown=False),
        )

    def act_open(self) -> None:
        if self.picks.cursor is not None and self.book.actions:
            self._edit(self.picks.cursor)

    def act_add_action(self) -> None:
        self._edit(len(self.book.actions))

    def act_remove(self) -> None:
        place = self.picks.cursor
        if place is not None:
            self.book.remove(place)
            self._show(min(place, len(self.book.actions) - 1))
            self._check()

    def act_move_up(self) -> None:
        self._move(-1)

    def act_move_down(self) -> None:
        self._move(1)

    def act_preview(self) -> None:
        from console.screens.actions.trial import TrialScreen

        place = self.picks.cursor
        if place is not None:
            self.app.push_screen(TrialScreen(self.session, self.book, place, self.book.actions[place]))

    def act_go_on(self) -> None:
        self.act_back()

    def act_back(self) -> None:
        if not self.dock.hush():
            self.session.shell.back()
            self._left()

    def on_picks_picked(self, message: Picks.Picked) -> None:
        message.stop()
        self.act_open()

    def on_picks_highlighted(self, message: Picks.Highlighted) -> None:
        message.stop()
        self._show_detail()

    def on_resize(self) -> None:
        self._show_detail()

    def show_kept(self, place: int) -> None:
        """An action was added or changed there."""
        self._show(place)
        self._check()

    def _edit(self, place: int) -> None:
        from console.screens.actions.form import ActionScreen

        self.app.push_screen(ActionScreen(self.session, self.book, place, self.show_kept))

    def _move(self, step: int) -> None:
        if self.picks.cursor is not None:
            self._show(self.book.move(self.picks.cursor, step))
            self._check()

    def _show(self, place: int) -> None:
        palette = self.session.look.palette
        head = Text(" Actions  ", "bold", no_wrap=True)
        self._head.show(head.append_text(safe_text(f"after {self.book.job_name} has done its own work", palette.muted)))
        self.picks.offer(as_options(self.book.actions), cursor=max(0, place), said=_EMPTY)
        self._show_detail()
        self.refresh_footer()

    def _show_detail(self) -> None:
        place, actions = self.picks.cursor, self.book.actions
        known = place is not None and place < len(actions)
        lines = (
            action_lines(actions[place], self.session.look, self._panel.size.width - 3)
            if known and place is not None
            else []
        )
        self._panel.show(lines)

    @work(exclusive=True, group="check")
    async def _check(self) -> None:
        """A condition may speak of what is no longer before it."""
        try:
            faults = await self.book.all_faults()
        except JobdeckError:
            return
        if faults:
            number, _, field = faults[0].field.removeprefix("actions.").partition(".")
            self.session.shell.say(f"{int(number) + 1}. {field}: {faults[0].message}", "warning")
