"""What stands on the screen in each step of the wizard."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from console.render.amounts import count
from console.render.look import Look
from console.screens.create.draft import Draft
from console.screens.create.fields import Option
from console.screens.create.form import Form
from console.screens.create.picks import FoundPicks, Picks
from console.screens.create.schedule import FIELDS
from console.widgets.line import Line, safe_text
from console.widgets.panel import Panel

if TYPE_CHECKING:
    from console.client.answers import DriverInfo

StepName = Literal["template", "what", "when", "review"]
STEPS: tuple[StepName, ...] = ("template", "what", "when", "review")
_FIRST = ("kb-sync", "command")
"""Templates that stand on top."""


class TemplateStep(Vertical):
    """The types that the agent has, found by typing; under them what the highlighted one does."""

    DEFAULT_CSS = """
    TemplateStep > Line { background: $panel; }
    TemplateStep Picks { max-height: 50%; }
    TemplateStep Panel { height: 1fr; background: $surface; }
    """

    def __init__(self, look: Look, noun: str = "job type", id: str = "templates") -> None:  # noqa: A002  (Textual's own name)
        super().__init__()
        self.picks = FoundPicks(look, self._find, id=id)
        self.help = Panel()
        self._look = look
        self._noun = noun
        self._head = Line()
        self._helps: dict[str, str] = {}
        self._options: Sequence[Option] = ()

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.picks
        yield self.help

    def show(self, drivers: Sequence[DriverInfo], chosen: str = "") -> None:
        self._options = [Option(each.type, each.title) for each in drivers]
        self._helps = {each.type: each.help for each in drivers}
        self.picks.styles.height = max(1, len(drivers))
        self._find(self.picks.typed, chosen)

    def _find(self, typed: str, chosen: str = "") -> None:
        """Those that hold what was typed; what begins with it first."""
        wanted = typed.casefold()
        fitting = [each for each in self._options if wanted in f"{each.value} {each.about}".casefold()]
        fitting.sort(key=lambda each: not each.value.casefold().startswith(wanted))
        place = next((at for at, each in enumerate(fitting) if each.value == chosen), 0)
        said = "none of that name; esc shows all" if typed else f"the agent has no {self._noun}s"
        self.picks.offer(fitting, cursor=place, said=said)
        palette = self._look.palette
        head = (
            Text(" find: ", palette.accent).append(typed).append("▏") if typed else Text(" type to find", palette.muted)
        )
        number = count(len(self._options), self._noun)
        self._head.show(head, Text(f"{len(fitting)} of {number} " if typed else f"{number} ", palette.muted))

    def on_picks_highlighted(self, message: Picks.Highlighted) -> None:
        message.stop()
        self.help.show(self._help_lines(self._helps.get(message.value, "")))

    def on_resize(self) -> None:
        if self.picks.value is not None:
            self.help.show(self._help_lines(self._helps.get(self.picks.value, "")))

    def _help_lines(self, text: str) -> list[Text]:
        paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
        width = max(20, self.size.width - 3)
        return [Text(line) for each in paragraphs for line in [*wrap(safe_text(each).plain, width), ""]]


class WhatStep(Container):
    DEFAULT_CSS = "WhatStep { height: 1fr; }"

    def __init__(self, draft: Draft, look: Look) -> None:
        super().__init__()
        self.form = Form(draft.what, draft.texts, look)

    def compose(self) -> ComposeResult:
        yield self.form


class WhenStep(Container):
    """The schedule's form, and beside or below it the next fires."""

    DEFAULT_CSS = """
    WhenStep { height: 1fr; layout: vertical; }
    WhenStep Form { height: 1fr; width: 1fr; }
    WhenStep Panel { height: 8; background: $surface; }
    """

    def __init__(self, draft: Draft, look: Look) -> None:
        super().__init__()
        self.form = Form(FIELDS, draft.texts, look)
        self.fires = Panel()

    def compose(self) -> ComposeResult:
        yield self.form
        yield self.fires


class ReviewStep(Vertical):
    DEFAULT_CSS = """
    ReviewStep Panel { height: 1fr; }
    ReviewStep Picks { height: 2; background: $surface; }
    """

    def __init__(self, lines: Sequence[Text], look: Look, offered: Sequence[Option]) -> None:
        super().__init__()
        self.page = Panel()
        self._offered = offered
        self.ways = Picks(look, can_focus=True, id="ways")
        self._lines = lines

    def compose(self) -> ComposeResult:
        yield self.page
        yield self.ways

    def on_mount(self) -> None:
        self.page.show(self._lines)
        self.ways.styles.height = len(self._offered)
        self.ways.offer(self._offered, cursor=0)


Step = TemplateStep | WhatStep | WhenStep | ReviewStep


def in_order(drivers: Sequence[DriverInfo]) -> list[DriverInfo]:
    """Those that jobs can be of: the usual ones first, then by name."""
    jobs = [each for each in drivers if not each.action_only]
    return sorted(jobs, key=lambda each: (_FIRST.index(each.type) if each.type in _FIRST else len(_FIRST), each.type))
