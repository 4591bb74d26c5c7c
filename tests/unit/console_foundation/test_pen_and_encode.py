"""Frames into bytes: replayed in a terminal they give the frame, and they are short."""

from __future__ import annotations

import random

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from console.display.encode import encode_difference, move_cursor
from console.display.frame import Frame, split_cells
from console.display.pen import PLAIN, Pen, change_pen, pen_of
from tests.harness.pty_app import cells_of, replay

TRUE = ColorSystem.TRUECOLOR
NO_WRAP = "\x1b[?7l"  # as Textual's driver sets the terminal
WORDS = ["a", "run", "日本", "e\u0301", "ü", " ", "     ", "中", "──", "🚀"]
STYLES = [
    "",
    "bold",
    "red",
    "on blue",
    "bold #ff0000 on #00ff00",
    "underline",
    "reverse green",
    "italic strike",
    "on white",
]


def frame_of(*rows: str, width: int = 20) -> Frame:
    frame = Frame(width, len(rows))
    for y, row in enumerate(rows):
        frame.put(0, y, [Segment(row)], TRUE)
    return frame


def random_frame(dice: random.Random, base: Frame | None) -> Frame:
    frame = Frame(24, 6)
    if base is not None:
        frame.characters = [row[:] for row in base.characters]
        frame.pens = [row[:] for row in base.pens]
    for _ in range(dice.randrange(1, 9)):
        words = dice.choices(WORDS, k=dice.randrange(1, 6))
        segments = [Segment(word, Style.parse(dice.choice(STYLES))) for word in words]
        frame.put(dice.randrange(-1, 24), dice.randrange(6), segments, TRUE)
    return frame


@pytest.mark.parametrize("seed", range(40))
def test_differences_replayed_give_the_frame(seed: int) -> None:
    dice = random.Random(seed)
    shown, sent = Frame(24, 6), NO_WRAP
    for _ in range(12):
        wanted = random_frame(dice, shown if dice.random() < 0.8 else None)
        sent += encode_difference(shown, wanted)
        whole = NO_WRAP + encode_difference(unlike(wanted), wanted)
        assert cells_of(replay(sent.encode(), 24, 6)) == cells_of(replay(whole.encode(), 24, 6))
        shown = wanted


def unlike(frame: Frame) -> Frame:
    """A frame that differs in every cell, so that all of it is sent."""
    other = Frame(*frame.size)
    other.characters = [["\0"] * frame.width for _ in range(frame.height)]
    return other


def test_no_change_is_no_byte() -> None:
    assert encode_difference(frame_of("run"), frame_of("run")) == ""


def test_one_cell_is_a_move_and_a_character() -> None:
    assert encode_difference(frame_of("10%"), frame_of("20%")) == "\x1b[m\x1b[H2"


def test_a_short_gap_is_written_again_and_a_long_one_leapt() -> None:
    assert encode_difference(frame_of("1 2"), frame_of("3 4")) == "\x1b[m\x1b[H3 4"
    assert encode_difference(frame_of("1" + "." * 9 + "2"), frame_of("3" + "." * 9 + "4")) == "\x1b[m\x1b[H3\x1b[9C4"


def test_a_cleared_tail_is_erased() -> None:
    assert encode_difference(frame_of("run of yesterday"), frame_of("run")) == "\x1b[m\x1b[1;5H\x1b[K"


def test_half_a_wide_character_becomes_a_blank() -> None:
    frame = frame_of("日本語")
    frame.put(1, 0, [Segment("x")], TRUE)
    assert frame.characters[0][:7] == [" ", "x", "本", "", "語", "", " "]


def test_the_color_of_a_blank_does_not_matter() -> None:
    shown, wanted = Frame(4, 1), Frame(4, 1)
    shown.put(0, 0, [Segment("    ", Style.parse("red"))], TRUE)
    wanted.put(0, 0, [Segment("    ", Style.parse("green"))], TRUE)
    assert encode_difference(shown, wanted) == ""


def test_text_cannot_command_the_terminal() -> None:
    assert split_cells("a\x1b[31mb\x07\x9b2J\u202ec") == tuple("a[31mb2Jc")


def test_a_control_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="control"):
        Frame(3, 1).put(0, 0, [Segment("\x1b[2J", None, [(1,)])], TRUE)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("now", "wanted", "sequence"),
    [
        ("red", "red", ""),
        ("bold red", "red", "\x1b[22m"),
        ("red", "", "\x1b[m"),
        ("bold dim red", "dim red", "\x1b[22;2m"),
        ("bold red on blue", "bold red", "\x1b[49m"),
        ("", "bold", "\x1b[1m"),
    ],
)
def test_pens_change_by_what_differs(now: str, wanted: str, sequence: str) -> None:
    pens = [pen_of(Style.parse(style), TRUE) for style in (now, wanted)]
    assert change_pen(*pens) in (sequence, sequence.replace("\x1b[m", "\x1b[39m"))


def test_a_link_is_opened_and_closed() -> None:
    link = pen_of(Style(link="https://example.org/\x1b]"), TRUE)
    assert link == Pen(link="https://example.org/]")
    assert change_pen(PLAIN, link) == "\x1b]8;;https://example.org/]\x1b\\"
    assert change_pen(link, PLAIN) == "\x1b]8;;\x1b\\"


def test_colors_come_down_to_what_the_terminal_has() -> None:
    assert pen_of(Style.parse("#ff0000"), ColorSystem.STANDARD).fore == "31"


@pytest.mark.parametrize(
    ("now", "to", "sequence"),
    [
        (None, (0, 0), "\x1b[H"),
        (None, (0, 4), "\x1b[5H"),
        ((3, 2), (4, 2), "\x1b[C"),
        ((30, 2), (0, 2), "\r"),
        ((30, 2), (0, 3), "\r\n"),
        ((5, 2), (5, 9), "\x1b[7B"),
        ((5, 9), (5, 8), "\x1b[A"),
        ((5, 2), (70, 20), "\x1b[21;71H"),
    ],
)
def test_moves_are_the_shortest(now: tuple[int, int] | None, to: tuple[int, int], sequence: str) -> None:
    assert move_cursor(now, to) == sequence
