"""Who a job is given to: users by what is typed, over the screen it was asked for on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.session import ConsoleSession
from console.widgets.finder import Entry, Finder
from console.widgets.line import safe_text
from console.widgets.table import Column
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from shared.models import Job

_COLUMNS = (Column("handle", "User", 16, flex=1), Column("note", "", 20, flex=2))


class GiveScreen(ModalScreen[str | None]):
    """Gives a handle or id; None when it was left. Who may not list users writes one: the agent says whether it is one."""

    AUTO_FOCUS = "FinderInput"
    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]
    DEFAULT_CSS = """
    GiveScreen { align: center top; background: $background 0%; }
    GiveScreen > Vertical { width: 100%; max-width: 80; height: 12; max-height: 80%; margin: 2 0 0 0; background: $surface; }
    """

    def __init__(self, session: ConsoleSession, job: Job) -> None:
        super().__init__()
        self._session = session
        self._job = job
        self._handles: Sequence[str] = ()
        self._finder = Finder(self._find, _COLUMNS, f"give {safe_text(job.name).plain} to")

    def compose(self) -> ComposeResult:
        yield Vertical(self._finder)

    def on_mount(self) -> None:
        self._list_users()

    def on_finder_taken(self, message: Finder.Taken) -> None:
        self.dismiss(message.entry_id)

    def action_leave(self) -> None:
        self.dismiss(None)

    @work(exclusive=True)
    async def _list_users(self) -> None:
        with self._session.shell.keys_held(brief=True):
            try:
                users = await self._session.client.people.users()
            except JobdeckError:
                return
        self._handles = [user.handle for user in users if user.disabled_at is None and user.id != self._job.owner_id]
        self._finder.look_again()

    def _find(self, text: str) -> Sequence[Entry]:
        wanted, muted = text.strip(), self._session.look.palette.muted
        found = [handle for handle in self._handles if wanted.lower() in handle.lower()]
        entries = [Entry(handle, (safe_text(handle), Text())) for handle in found]
        if wanted and wanted not in found:
            entries.append(Entry(wanted, (safe_text(wanted), Text("as it is written", muted))))
        return entries
