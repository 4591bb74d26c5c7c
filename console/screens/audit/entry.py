"""One entry of the audit, all that it says, and the way to what it was about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from console.model import Changes
from console.model.trail import ENTRY
from console.screens.audit.cells import entry_lines
from console.screens.base import ConsoleScreen
from console.screens.matching import quoted
from console.session import ConsoleSession
from console.widgets.detail import Lines
from console.widgets.footer import Offer

if TYPE_CHECKING:
    from shared.models.audit import AuditEntry


class EntryScreen(ConsoleScreen):
    NAME = "entry"
    ACTS = ("open", "copy", "trail")
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "act('open')", "Open", show=False)]

    DEFAULT_CSS = "EntryScreen VerticalScroll { padding: 1 1; }"

    def __init__(self, session: ConsoleSession, entry: AuditEntry) -> None:
        super().__init__(session)
        self.entry = entry
        self._lines = Lines()

    def compose_body(self) -> Iterable[Widget]:
        yield VerticalScroll(self._lines)

    def on_mount(self) -> None:
        super().on_mount()
        self._show()

    def take(self, changes: Changes) -> None:
        """A refusal may be counted up while one looks at it."""
        if f"{ENTRY}{self.entry.number}" in changes.changed:
            self.entry = self.session.auditing.trail.entries[f"{ENTRY}{self.entry.number}"]
            self._show()

    def offers(self) -> Sequence[Offer]:
        opened = {"run": Offer("open", "open the run"), "job": Offer("open", "go to the job")}.get(_kind(self.entry))
        return [*([opened] if opened else []), Offer("trail", "all of it"), Offer("back"), Offer("copy")]

    def act_open(self) -> None:
        if _kind(self.entry) == "run":
            self.session.shell.open_run(self.entry.subject_id)
        else:
            self.session.shell.go_to("job", self.entry.subject_id)

    def act_trail(self) -> None:
        self.session.shell.go_to("audit", f"subject:{quoted(self.entry.subject_name or self.entry.subject_id)}")

    def act_copy(self) -> None:
        self.session.shell.copy(f"jobdeck audit --subject {self.entry.subject_id}")

    def _show(self) -> None:
        self._lines.show(entry_lines(self.entry, self.session.look))


def _kind(entry: AuditEntry) -> str:
    """`run`, `job`, or something that has no screen; what was deleted has none either."""
    kind, _, happened = (entry.event or "").partition(".")
    return "" if happened == "deleted" else kind
