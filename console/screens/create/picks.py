"""What can be picked: a list that is moved through, alone or while a field beside it is typed in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from console.render.look import Look
from console.screens.create.fields import Option
from console.widgets.line import safe_text

_VALUE_MOST = 0.5


class Picks(Widget):
    """`chosen` are the values that are marked, or None where only one is picked. No highlight: nothing is meant yet."""

    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"picks--cursor"}
    DEFAULT_CSS = """
    Picks { height: 1fr; width: 100%; }
    Picks > .picks--cursor { background: $block-cursor-blurred-background; text-style: bold; }
    Picks:ansi > .picks--cursor { text-style: reverse; }
    Picks:nocolor > .picks--cursor { text-style: reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("enter", "pick", "Take", show=False),
    ]

    class Picked(Message):
        def __init__(self, picks: Picks, value: str) -> None:
            super().__init__()
            self.picks = picks
            self.value = value

        @property
        def control(self) -> Picks:
            return self.picks

    class Highlighted(Picked):
        """The highlight is on another one."""

    def __init__(self, look: Look, *, can_focus: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.can_focus = can_focus
        self.cursor: int | None = None
        self._look = look
        self._options: Sequence[Option] = ()
        self._chosen: Collection[str] | None = None
        self._said = ""
        self._top = 0
        self._from = 0
        """The top where there is room: where it stands does not depend on sizes that it had for a moment."""

    @property
    def value(self) -> str | None:
        """What the highlight is on."""
        return self._options[self.cursor].value if self.cursor is not None and self._options else None

    @property
    def plain(self) -> str:
        return "\n".join([option.value for option in self._options] or [self._said])

    def offer(
        self,
        options: Sequence[Option],
        *,
        cursor: int | None = None,
        chosen: Collection[str] | None = None,
        said: str = "",
    ) -> None:
        """Show these; `said` stands there when there is none."""
        if (options, chosen, said) == (self._options, self._chosen, self._said) and cursor == self.cursor:
            return
        if (options, cursor) != (self._options, self.cursor):
            self._from = 0
        self._options, self._chosen, self._said = options, chosen, said
        self.cursor = cursor if cursor is not None and cursor < len(options) else None
        self._scroll()
        self.refresh()
        self._tell()

    def action_move(self, rows: int) -> None:
        if not self._options:
            return
        start = self.cursor if self.cursor is not None else -1 if rows > 0 else len(self._options)
        self.cursor = max(0, min(len(self._options) - 1, start + rows))
        self._scroll()
        self._from = self._top
        self.refresh()
        self._tell()

    def action_pick(self) -> None:
        if self.value is not None:
            self.post_message(self.Picked(self, self.value))

    def _tell(self) -> None:
        if self.value is not None:
            self.post_message(self.Highlighted(self, self.value))

    def on_resize(self) -> None:
        self._scroll()
        self.refresh()

    def _scroll(self) -> None:
        height, cursor = max(1, self.size.height), self.cursor or 0
        self._top = max(min(self._from, cursor), cursor - height + 1, 0)

    def render_line(self, y: int) -> Strip:
        place, width, base = y + self._top, self.size.width, self.rich_style
        if place >= len(self._options):
            said = safe_text(f"  {self._said}" if y == 0 and not self._options else "", self._look.palette.muted)
            return self._finish(said, base, width)
        under = base + self.get_component_rich_style("picks--cursor", partial=True) if place == self.cursor else base
        return self._finish(self._with_more(self._line(self._options[place], width), y, width), under, width)

    def _line(self, option: Option, width: int) -> Text:
        box = "" if self._chosen is None else "[x] " if option.value in self._chosen else "[ ] "
        widest = max((cell_len(each.value) for each in self._options), default=0)
        column = min(widest, int(width * _VALUE_MOST))
        value = safe_text(option.value)
        value.truncate(column, overflow="ellipsis", pad=True)
        return (
            Text(f"  {box}", self._look.palette.accent)
            .append_text(value)
            .append_text(safe_text(f"  {option.about}", self._look.palette.muted))
        )

    def _with_more(self, text: Text, y: int, width: int) -> Text:
        """At the edge where there is more than is shown, how much."""
        above, below = self._top, len(self._options) - self._top - self.size.height
        words = [f"▲ {above} more"] if y == 0 and above > 0 else []
        words += [f"▼ {below} more"] if y == self.size.height - 1 and below > 0 else []
        if not words:
            return text
        word = f"  {' '.join(words)} "
        text.truncate(width - len(word), overflow="ellipsis", pad=True)
        return text.append(word, self._look.palette.muted)

    def _finish(self, text: Text, under: Style, width: int) -> Strip:
        text.truncate(width, overflow="ellipsis")
        strip = Strip(Segment.apply_style(text.render(self.app.console, end=""), under))
        return strip.adjust_cell_length(width, under)


class FoundPicks(Picks):
    """Letters find: `find(typed)` is told with each; backspace takes the last one away, esc all of them."""

    def __init__(self, look: Look, find: Callable[[str], None], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(look, can_focus=True, id=id)
        self._find = find
        self.typed = ""

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.typed:
            typed = ""
        elif event.key == "backspace":
            typed = self.typed[:-1]
        elif event.character and (event.character.isalnum() or event.character in "-_ "):
            typed = f"{self.typed}{event.character}".lstrip()
        else:
            return
        event.stop()
        event.prevent_default()
        self.typed = typed
        self._find(typed)
