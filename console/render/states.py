"""A run's state by glyph and letter and colour: any two of them may be lost on a terminal or a reader."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from console.render.look import Look
from shared.states import FINAL, RunState

LETTERS = {
    RunState.PENDING: "P",
    RunState.RUNNING: "R",
    RunState.RETRYING: "T",
    RunState.COMPLETED: "C",
    RunState.FAILED: "F",
    RunState.CANCELLED: "X",
}
MARK_WIDTH = 4
RECENT = 20
_BY_NAME = {state.value: state for state in RunState}


def state_word(state: RunState, *, cancelling: bool = False) -> str:
    """The word for people: `cancelling` is said of a run that is asked to stop and has not yet."""
    return "cancelling" if cancelling and state not in FINAL else state.value


def state_mark(state: RunState, look: Look, *, cancelling: bool = False) -> Text:
    """`► R`, four cells wide; `► R⊘` while it is being cancelled."""
    text = Text(f"{look.glyphs.states[state]} {LETTERS[state]}", look.palette.states[state])
    if cancelling and state not in FINAL:
        return text.append(look.glyphs.cancelling, look.palette.cancelling)
    return text.append(" ")


def state_text(state: RunState, look: Look, *, cancelling: bool = False) -> Text:
    """`► R running`: mark and word."""
    word = state_word(state, cancelling=cancelling)
    style = look.palette.states[state] if word == state else look.palette.cancelling
    return state_mark(state, look, cancelling=cancelling).append(" " + word, style)


def recent_strip(states: Sequence[str], look: Look, width: int = RECENT) -> Text:
    """The last `width` runs, a cell each, the newest at the right; what an agent newer than this one calls a state
    that is not known here is shown as `?`.
    """
    shown = states[-width:] if width else []
    text = Text(" " * (width - len(shown)))
    for name in shown:
        state = _BY_NAME.get(name)
        if state is None:
            text.append("?", look.palette.muted)
        else:
            text.append(look.glyphs.recent[state], look.palette.states[state])
    return text
