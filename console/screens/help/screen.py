"""The help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from console.keymap import ACTS, Act, is_of, sign_of
from console.screens.base import ConsoleScreen
from console.session import ConsoleSession
from console.widgets.detail import Detail
from console.widgets.finder import Entry, Finder
from console.widgets.footer import Offer
from console.widgets.line import safe_text
from console.widgets.table import Column

_COLUMNS = (Column("key", "Key", 11), Column("what", "What", 16), Column("about", "About", 30, flex=1))

_LANGUAGE = (
    ("state:failed", "filter", "equal; commas give alternatives: state:failed,cancelled; active, finished, cancelling are groups"),
    ("name:~etl", "filter", "holds the text anywhere: name, job, tag, error, owner, worker"),
    ("-tag:dev", "filter", "a minus negates any term"),
    ("dur>10m", "filter", "how long it took, or has taken until now"),
    ("started<2h", "filter", "within the last two hours; also created, finished; started:today, started>2026-03-01"),
    ("error:timeout", "filter", "the error's kind or fingerprint; error:~refused looks into its message"),
    ("e E", "log", "the next error in the log, or the one before"),
    ("/ n N", "log", "find a text in the log, however long it is; the next one below, the one above"),
    ("f T W", "log", "follow what comes; show the times; wrap long lines (left and right go sideways)"),
    ('"two words"', "filter", "bare words search names and errors; in quotes as they are written"),
    ("user:ada at<1d", "audit", "who did what: user, act, subject, outcome, at, via, address, client, token, reason, revision"),
    ("► R  ✓ C  ✗ F", "signs", "running, completed, failed; ○ P pending, ↻ T retrying, ⊘ X cancelled, ► R⊘ being cancelled"),
    ("▸ 12×", "signs", "twelve failures of one cause; enter shows them, r reruns them all"),
    ("~2m", "signs", "what is left, guessed from the job's history; late: longer than nine of ten of its runs took"),
)  # fmt: skip


class HelpScreen(ConsoleScreen):
    NAME = "help"
    AUTO_FOCUS = "FinderInput"
    DEFAULT_CSS = """
    HelpScreen Detail { height: 3; background: $panel; }
    """

    def __init__(self, session: ConsoleSession, here: str) -> None:
        """`here` is the screen it was called from: its acts come first."""
        super().__init__(session)
        self._here = here
        self._whole = Detail()

    def compose_body(self) -> Iterable[Widget]:
        yield Finder(self._find, _COLUMNS, "type to search; esc leaves")
        yield self._whole

    def on_finder_highlighted(self, message: Finder.Highlighted) -> None:
        """All of what the table had to cut."""
        entry = message.entry
        self._whole.show([safe_text(f"{entry.cells[1]}: {entry.cells[2]}")] if entry else [])

    def offers(self) -> Sequence[Offer]:
        return (Offer("back"),)

    def act_back(self) -> None:
        self.session.shell.back()

    def on_finder_taken(self) -> None:
        self.session.shell.back()

    def _find(self, text: str) -> Sequence[Entry]:
        words = text.casefold().split()
        rows = [*self._acts(), *(Entry(f"language:{key}", (key, what, about)) for key, what, about in _LANGUAGE)]
        return [row for row in rows if all(word in " ".join(map(str, row.cells)).casefold() for word in words)]

    def _acts(self) -> Iterable[Entry]:
        look, keymap = self.session.look, self.session.keymap
        for act in sorted(ACTS.values(), key=self._rank):
            keys = " ".join(sign_of(key) for key in keymap.keys(act.id)[:2])
            yield Entry(act.id, (Text(keys, look.palette.accent), act.word, act.about))

    def _rank(self, act: Act) -> int:
        if is_of(act.where, self._here):
            return 0
        return 1 if "everywhere" in act.where else 2
