"""Fields below each other, and under them what can be picked for the one that is typed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message

from console.render.look import Look
from console.screens.create.fields import Field, Option, split_list
from console.screens.create.picks import Picks
from console.screens.create.row import OPENS, FieldInput, FieldRow
from console.widgets.line import Line, safe_text

_PICK_ROWS = 6


class Form(Vertical):
    """`up`, `down` move through what can be picked (through the fields where nothing can), `enter` takes it and goes on,
    `space` marks one of several, `tab` goes on without taking. Says what changed; keeps no values but what is typed.
    """

    DEFAULT_CSS = """
    Form { height: 1fr; }
    Form VerticalScroll { height: auto; max-height: 60%; scrollbar-size-vertical: 1; }
    Form > Line { background: $panel; }
    """

    class Changed(Message):
        def __init__(self, field: Field, text: str) -> None:
            super().__init__()
            self.field = field
            self.text = text

    class Entered(Message):
        """A field has the focus now: what can be picked for it?"""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    class Done(Message):
        """Enter in the last field."""

    def __init__(self, fields: Sequence[Field], texts: Mapping[str, str], look: Look) -> None:
        super().__init__()
        self._look = look
        self.rows = [FieldRow(field, texts.get(field.key, ""), look, self._steer) for field in fields]
        self.picks = Picks(look)
        self._about = Line()
        self._options: Sequence[Option] = ()
        self._said = ""
        self._current: FieldRow | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield from self.rows
        yield self._about
        yield self.picks

    @property
    def texts(self) -> Mapping[str, str]:
        """What stands in the fields now; `Changed` may still be on its way."""
        return {row.field.key: row.input.value for row in self.rows}

    def row(self, key: str) -> FieldRow | None:
        return next((row for row in self.rows if row.field.key == key), None)

    def focus_field(self, key: str = "") -> None:
        self._go_to(self.row(key) or self.rows[0])

    def show_faults(self, faults: Mapping[str, str]) -> bool:
        """By key; goes to the first. False: none of them is here."""
        for row in self.rows:
            row.show_fault(faults.get(row.field.key, ""))
        wrong = [row for row in self.rows if row.fault]
        if wrong:
            self._go_to(wrong[0])
            self.call_after_refresh(wrong[0].scroll_visible, animate=False)
        return bool(wrong)

    def mark_faults(self, faults: Mapping[str, str]) -> None:
        """The same while somebody types: nothing moves, and an empty field is not wrong yet."""
        for row in self.rows:
            row.show_fault(faults.get(row.field.key, "") if row.input.value.strip() else "")

    def offer(self, field: Field, options: Sequence[Option], said: str = "") -> None:
        """What can be picked for that field; late answers for another one are left out."""
        if self._current is not None and self._current.field is field:
            self._options, self._said = options, said
            self._show_picks()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, FieldInput):
            row = self.row(event.widget.field.key)
            if row is not None and row is not self._current:
                self._enter(row)

    def on_input_changed(self, event: FieldInput.Changed) -> None:
        event.stop()
        if isinstance(event.input, FieldInput):
            row = self.row(event.input.field.key)
            if row is not None:
                row.show_fault("")
            self.post_message(self.Changed(event.input.field, event.value))
            self._show_picks()

    def _steer(self, key: str) -> None:
        match key:
            case "enter":
                self._take()
                self._step(1)
            case "space":
                self._toggle()
            case "up" | "down":
                self._move(-1 if key == "up" else 1)
            case key if key == OPENS:
                self._open()
            case _:
                self.picks.action_move(_PICK_ROWS if key == "pagedown" else -_PICK_ROWS)

    def _open(self) -> None:
        """The field in as many lines as it has."""
        from console.screens.create.lines import LinesScreen

        row = self._current
        if row is not None:
            screen = LinesScreen(row.field, row.input.value, self._look)
            self.app.push_screen(screen, lambda text: self._put(row, text))

    def _put(self, row: FieldRow, text: str | None) -> None:
        if text is not None:
            row.input.value = text
            row.input.cursor_position = len(text)

    def _move(self, rows: int) -> None:
        """Through what can be picked; at its upper end, and where there is nothing, to the next field."""
        if not self._shown or (rows < 0 and self.picks.cursor in {None, 0}):
            self._step(rows, at_edge=False)
        else:
            self.picks.action_move(rows)

    def _take(self) -> None:
        row, value = self._current, self.picks.value
        if row is not None and value is not None and not row.field.is_many:
            row.input.value = value

    def _toggle(self) -> None:
        row, value = self._current, self.picks.value
        if row is None or value is None:
            return
        chosen = [part for part in split_list(row.input.value) if any(part == each.value for each in self._options)]
        chosen = [part for part in chosen if part != value] if value in chosen else [*chosen, value]
        row.input.value = ", ".join(chosen)
        row.input.cursor_position = len(row.input.value)
        self._show_picks()

    def _step(self, step: int, *, at_edge: bool = True) -> None:
        if self._current is None:
            return
        place = self.rows.index(self._current) + step
        if 0 <= place < len(self.rows):
            self._go_to(self.rows[place])
        elif at_edge and step > 0:
            self.post_message(self.Done())

    def _go_to(self, row: FieldRow) -> None:
        """At once: the next key is meant for it."""
        self.screen.set_focus(row.input)
        self._enter(row)

    def _enter(self, row: FieldRow) -> None:
        """What is there in a field with few right answers goes with the first key that is typed."""
        self._current = row
        self._options, self._said, self.picks.cursor = (), "", None
        if row.field.is_closed:
            row.input.select_all()
        self._about.show(safe_text(f" {self._about_text(row.field)}", self._look.palette.muted))
        self._show_picks()
        self.post_message(self.Entered(row.field))

    @property
    def _shown(self) -> Sequence[Option]:
        """The options that fit what is typed."""
        if self._current is None:
            return ()
        typed = self._typed(self._current).casefold()
        if any(option.value.casefold() == typed for option in self._options):
            return self._options
        return [option for option in self._options if typed in f"{option.value} {option.about}".casefold()]

    def _typed(self, row: FieldRow) -> str:
        """What is still being typed: of a list its last part."""
        text = row.input.value
        if not row.field.is_many:
            return text.strip()
        last = text.rpartition(",")[2].strip()
        return "" if any(last == option.value for option in self._options) else last

    def _show_picks(self) -> None:
        row = self._current
        if row is None:
            return
        shown = self._shown
        chosen = frozenset(split_list(row.input.value)) if row.field.is_many else None
        self.picks.offer(shown, cursor=self._meant(row, shown), chosen=chosen, said=self._said)

    def _meant(self, row: FieldRow, shown: Sequence[Option]) -> int | None:
        """Where the highlight is: on what is typed; on the first where nothing else would be right."""
        typed = self._typed(row)
        if row.field.is_many and not typed and self.picks.cursor is not None:
            return self.picks.cursor
        exact = next((place for place, option in enumerate(shown) if option.value == typed), None)
        if exact is not None:
            return exact
        is_meant = row.field.is_closed if typed else row.field.is_required
        return 0 if shown and is_meant else None

    def _about_text(self, field: Field) -> str:
        keys = (
            "space marks, enter goes on" if field.is_many else "^o opens it in several lines" if field.has_lines else ""
        )
        return " · ".join(part for part in (keys, field.about) if part) or field.label
