"""Bytes over the line are a budget, at 80×24 and a million rows."""

from __future__ import annotations

import time

from tests.functional.display.conftest import Open


def test_progress_tick_costs_at_most_200_bytes(open_console: Open) -> None:
    console = open_console()
    app = console.app
    for percent in ("40%", "50%", "60%"):
        before = app.received
        console.press(2)
        app.read_until(lambda percent=percent: percent in app.rows[6])
        app.read_until_quiet()
        assert 0 < app.received - before <= 200


def test_idle_screen_costs_nothing(open_console: Open) -> None:
    assert open_console(ROWS="1000").app.read_for(3.0) == 0


def test_page_down_costs_at_most_10_kilobytes(open_console: Open) -> None:
    app = open_console().app
    for first in ("0999979", "0999958"):
        before = app.received
        app.send("\x1b[6~")
        app.read_until(lambda first=first: first in app.rows[2])
        app.read_until_quiet()
        assert app.received - before <= 10_000


def test_line_down_costs_at_most_500_bytes(open_console: Open) -> None:
    app = open_console().app
    before = app.received
    app.send("j")
    app.read_until_quiet()
    assert 0 < app.received - before <= 500


def test_storm_of_events_keeps_the_cursor_and_the_budget(open_console: Open) -> None:
    console = open_console(ROWS="5000")
    app = console.app
    app.send("jjj")
    app.read_until_quiet()
    row = app.rows[5]
    assert "job 0004997" in row
    before, began = app.received, time.monotonic()
    console.press(3)
    app.read_until(lambda: "storm over" in app.rows[-1])
    app.read_until(lambda: "▲ 60 new" in app.rows[1])
    # 600 events in three seconds, on a busy machine in more: so much in each of them
    assert app.received - before <= 10_000 * max(3.0, time.monotonic() - began)
    console.assert_screen_is_full_repaint()
    assert "job 0004997" in app.rows[5], "the cursor's row stays where it was"
    app.send(" ")
    app.read_until(lambda: any(row.startswith("* ") and "job 0004997" in row for row in app.rows))


def test_first_key_works_at_a_million_rows(open_console: Open) -> None:
    app = open_console().app
    app.send("\x1b[F")
    app.read_until(lambda: "job 0000001" in app.rows[22])
    app.send("\x1b[H")
    app.read_until(lambda: "job 1000000" in app.rows[2])
