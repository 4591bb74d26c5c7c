"""Cursor, marks and scroll belong to ids; new rows wait, rows that leave stay until the cursor moves."""

from __future__ import annotations

from tests.functional.display.conftest import Open


def test_new_rows_wait_while_the_operator_acts(open_console: Open) -> None:
    console = open_console(ROWS="300")
    app = console.app
    app.send("j")
    app.read_until_quiet()
    console.press(4)
    app.read_until(lambda: "▲ 7 new" in app.rows[1])
    assert "job 0000300" in app.rows[2]
    app.send("g")
    app.read_until(lambda: "job 0000307" in app.rows[2] and "new" not in app.rows[1])


def test_new_rows_come_in_before_the_operator_acts(open_console: Open) -> None:
    console = open_console(ROWS="300")
    console.press(4)
    console.app.read_until(lambda: "job 0000307" in console.app.rows[2] and "job 0000300" in console.app.rows[9])


def test_row_that_leaves_stays_until_the_cursor_moves(open_console: Open) -> None:
    console = open_console(ROWS="300")
    app = console.app
    app.send("jj")
    app.read_until_quiet()
    console.press(7)
    app.read_until_quiet()
    assert "job 0000298" in app.rows[4]
    app.send("j")
    app.read_until(lambda: "job 0000298" not in app.text)
    assert "job 0000297" in app.text


def test_sorting_keeps_the_cursor_on_its_row(open_console: Open) -> None:
    console = open_console(ROWS="300")
    app = console.app
    app.send("jjjj ")
    app.read_until(lambda: "* " in app.text)
    app.send("k")
    app.read_until_quiet()
    console.press(6)
    app.read_until(lambda: "job 0000297" not in app.text)
    app.read_until_quiet()
    assert "job 0000296" in app.text, "the cursor's row is still on the screen"
    assert [row for row in app.rows if row.startswith("* ")] == [row for row in app.rows if "job 0000296" in row]


def test_narrow_terminal_drops_the_least_columns(open_console: Open) -> None:
    app = open_console(size=(44, 24), ROWS="300").app
    assert "Progress" in app.rows[1]
    assert "Owner" not in app.rows[1]
    assert "ETA" not in app.rows[1]


def test_mark_all_and_unmark_all(open_console: Open) -> None:
    app = open_console(ROWS="300").app
    app.send("*")
    app.read_until(lambda: all(row.startswith("* ") for row in app.rows[2:23]))
    app.send("*")
    app.read_until(lambda: not any(row.startswith("* ") for row in app.rows[2:23]))
