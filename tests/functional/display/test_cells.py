"""What came over the line, replayed in a terminal, equals a full repaint, cell by cell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.functional.display.conftest import Open
from tests.harness.agent_process import until
from tests.harness.pty_app import cells_of


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_random_changes(open_console: Open, seed: str) -> None:
    console = open_console(ROWS="300", SEED=seed)
    for _ in range(8):
        console.press(5)
        console.assert_screen_is_full_repaint()


def test_without_synchronized_output(open_console: Open) -> None:
    console = open_console(ROWS="300", answer_sync=False)
    console.press(5)
    console.assert_screen_is_full_repaint()
    assert b"\x1b[?2026h" not in console.app.raw


def test_synchronized_output_is_closed(open_console: Open) -> None:
    app = open_console(ROWS="300").app
    app.send("\x1b[6~")
    app.read_until_quiet()
    assert app.raw.count(b"\x1b[?2026h") == app.raw.count(b"\x1b[?2026l") > 0


def test_narrower_and_wider_terminal(open_console: Open) -> None:
    console = open_console(ROWS="300")
    for columns, rows in ((50, 12), (120, 40), (80, 24)):
        console.app.resize(columns, rows)
        console.app.read_until(lambda: "ready" in console.app.rows[-1])
        console.assert_screen_is_full_repaint()


def test_after_suspension_everything_is_drawn_again(open_console: Open) -> None:
    console = open_console(ROWS="300")
    before = cells_of(console.app.screen)
    start = console.app.received
    console.press(9)
    console.app.read_until(lambda: b"scribble" in console.app.raw[start:])
    console.app.read_until(lambda: cells_of(console.app.screen) == before)


def test_a_line_that_does_not_take_frames_skips_them(open_console: Open, tmp_path: Path) -> None:
    counter = tmp_path / "events"
    console = open_console(size=(200, 50), ROWS="300", EVENTS=str(counter))
    before = console.app.received
    console.press(3)
    # Nothing is read meanwhile: the program has to go on without its terminal.
    until(lambda: counter.exists() and int(counter.read_text() or 0) >= 600, "the storm is over")
    console.app.read_until(lambda: "storm over" in console.app.rows[-1])
    console.assert_screen_is_full_repaint()
    assert console.app.received - before < 80_000


def test_what_is_odd_takes_the_long_way(open_console: Open) -> None:
    console = open_console(ROWS="300", BREAK="1")
    console.app.send("jj")
    console.assert_screen_is_full_repaint()


def test_terminal_theme_uses_sixteen_colors_only(open_console: Open) -> None:
    console = open_console(ROWS="300", THEME="terminal")
    console.app.send("j")
    console.assert_screen_is_full_repaint()
    codes = sgr_codes(console.app.raw)
    assert "34" in codes, "running is blue"
    assert not {"38", "48"} & codes


def test_no_color_sends_no_color(open_console: Open) -> None:
    console = open_console(ROWS="300", NO_COLOR="1")
    console.app.send("j")
    console.assert_screen_is_full_repaint()
    codes = sgr_codes(console.app.raw)
    assert not {code for code in codes if re.fullmatch(r"[349][0-8]|10[0-7]", code)}
    assert "7" in codes, "the cursor is there all the same, in reverse"


def sgr_codes(raw: bytearray) -> set[str]:
    return {code for match in re.findall(rb"\x1b\[([0-9;]*)m", raw) for code in match.decode().split(";")}
