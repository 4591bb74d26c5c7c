"""The colours and signs that text is made with; themes say which."""

from __future__ import annotations

from dataclasses import dataclass

from shared.states import RunState


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One cell each, and none that a terminal may show as a two-cell emoji."""

    states: dict[RunState, str]
    cancelling: str
    recent: dict[RunState, str]
    bar: str
    bar_parts: str
    """Growing fractions of a filled cell, least first; empty: whole cells only."""
    track: str
    more: str


UNICODE = Glyphs(
    states={
        RunState.PENDING: "○",
        RunState.RUNNING: "►",
        RunState.RETRYING: "↻",
        RunState.COMPLETED: "✓",
        RunState.FAILED: "✗",
        RunState.CANCELLED: "⊘",
    },
    cancelling="⊘",
    recent={
        RunState.PENDING: "○",
        RunState.RUNNING: "►",
        RunState.RETRYING: "↻",
        RunState.COMPLETED: "▂",
        RunState.FAILED: "█",
        RunState.CANCELLED: "⊘",
    },
    bar="█",
    bar_parts="▏▎▍▌▋▊▉",
    track="░",
    more="…",
)
ASCII = Glyphs(
    states={
        RunState.PENDING: "o",
        RunState.RUNNING: ">",
        RunState.RETRYING: "~",
        RunState.COMPLETED: "+",
        RunState.FAILED: "!",
        RunState.CANCELLED: "-",
    },
    cancelling="-",
    recent={
        RunState.PENDING: "o",
        RunState.RUNNING: ">",
        RunState.RETRYING: "~",
        RunState.COMPLETED: ".",
        RunState.FAILED: "!",
        RunState.CANCELLED: "-",
    },
    bar="#",
    bar_parts="",
    track="-",
    more=".",
)


@dataclass(frozen=True, slots=True)
class Palette:
    """Rich styles by what they mean."""

    states: dict[RunState, str]
    cancelling: str
    good: str
    warning: str
    bad: str
    muted: str
    accent: str
    bar: str
    track: str

    @property
    def late(self) -> str:
        return self.warning


@dataclass(frozen=True, slots=True)
class Look:
    palette: Palette
    glyphs: Glyphs = UNICODE
