"""The filter's line, and under it what is wrong with it or what could follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Union

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from console.render.look import Look
from console.widgets.line import Line, safe_text

if TYPE_CHECKING:
    from shared.filters import BadFilter, Fields, Kind

Language = Union["Kind", "Fields"]
"""What runs, jobs and the audit are asked for; or the columns of a list, by name."""

_EXAMPLE = "state:failed type:kb-sync dur>10m started<2h words"
_SHOWN = 8


class FilterInput(Input):
    """`tab` takes the first suggestion, esc leaves: at once, so that keys that follow find it done."""

    BINDINGS = [Binding("tab", "take", "Complete", show=False), Binding("escape", "leave", "Clear", show=False)]

    def __init__(self, example: str, take: Callable[[], None], leave: Callable[[], None]) -> None:
        super().__init__(compact=True, placeholder=example, select_on_focus=False)
        self._take = take
        self._leave = leave

    def action_take(self) -> None:
        self._take()

    def action_leave(self) -> None:
        self._leave()


class FilterBar(Vertical):
    """Tells `Changed` with every text that is a filter, `Closed` when it is left; esc leaves it empty."""

    DEFAULT_CSS = """
    FilterBar { height: auto; display: none; background: $panel; &.-open { display: block; } }
    FilterBar Input { height: 1; border: none; padding: 0; background: $panel; width: 100%; }
    FilterBar Input:focus { border: none; background-tint: $panel 0%; }
    """

    class Changed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FilterBar.Changed)

    class Closed(Message):
        pass

    def __init__(self, language: Language, look: Look) -> None:
        super().__init__(id="filter")
        self._language = language
        self._look = look
        self.input = FilterInput(_example(language), self._take_suggestion, self._clear)
        self.hint = Line()
        self._suggestions: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.input
        yield self.hint

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self, text: str, language: Language) -> None:
        self._language = language
        self.input.placeholder = _example(language)
        self.set_class(True, "-open")
        self.input.value = text
        self.input.cursor_position = len(text)
        self.screen.set_focus(self.input)  # at once: the next key is meant for it
        self._judge()

    def close(self) -> None:
        if self.is_open:
            self.set_class(False, "-open")
            self.post_message(self.Closed())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open and self._judge():
            self.post_message(self.Changed(self.input.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._judge():
            self.close()

    def _clear(self) -> None:
        self.input.value = ""
        self.post_message(self.Changed(""))
        self.close()

    def _take_suggestion(self) -> None:
        """Put the first suggestion in the place of the term that is being written."""
        from shared.filters import complete, word_at

        self._suggestions = complete(self.input.value, self.input.cursor_position, self._language)
        if not self._suggestions:
            return
        start, end = word_at(self.input.value, self.input.cursor_position)
        taken = self._suggestions[0]
        self.input.value = self.input.value[:start] + taken + self.input.value[end:]
        self.input.cursor_position = start + len(taken)

    def on_key(self, event: events.Key) -> None:
        if event.key in {"left", "right", "home", "end"}:
            self.call_after_refresh(self._judge)

    def _judge(self) -> bool:
        """Say what is wrong, or what could follow; True if it is a filter."""
        from shared.filters import BadFilter, complete, parse, parse_rows

        text, language = self.input.value, self._language
        self._suggestions = complete(text, self.input.cursor_position, language)
        try:
            if isinstance(language, str):
                parse(text, language)
            else:
                parse_rows(text, language)
        except BadFilter as error:
            self._point(error)
            return False
        self.hint.show(self._list_suggestions())
        return True

    def _point(self, error: BadFilter) -> None:
        """A caret under the character, and the sentence where there is room for it."""
        bad, at = self._look.palette.bad, error.position
        sentence = error.sentence
        if self.size.width - at - 2 >= min(len(sentence), 40) or at < 12:
            line = Text(" " * at, no_wrap=True).append("^ ", f"bold {bad}").append_text(safe_text(sentence, bad))
        else:
            line = safe_text(sentence[: at - 1], bad)
            line.append(" " * (at - line.cell_len)).append("^", f"bold {bad}")
        self.hint.show(line)

    def _list_suggestions(self) -> Text:
        line = Text(no_wrap=True)
        if self._suggestions:
            line.append("tab ", f"bold {self._look.palette.accent}")
            line.append("  ".join(self._suggestions[:_SHOWN]), self._look.palette.muted)
        else:
            line.append("enter keeps the filter, esc clears it", self._look.palette.muted)
        return line


def _example(language: Language) -> str:
    if isinstance(language, str):
        return _EXAMPLE
    first = next(iter(language))
    return f"words  {first}:words  -{first}:words"
