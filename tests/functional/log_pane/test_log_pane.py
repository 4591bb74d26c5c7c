"""The log pane as it is used: opened, followed, paged through, searched."""

from __future__ import annotations

import pytest

from tests.functional.log_pane.log_app import MadeUpLog, reading

HUGE = 20_000_000


async def test_a_huge_log_opens_at_its_first_error_with_a_few_pages() -> None:
    log = MadeUpLog(HUGE, errors=frozenset({7_654_321, HUGE}))
    async with reading(log) as (operator, _):
        await operator.reads("E line 7654321", "line 7654318", "20,000,000 lines", "first error: line 7,654,321")
        assert len(log.requests) <= 4
        assert log.given < 2_000


async def test_without_errors_it_opens_at_the_end_and_follows_what_comes() -> None:
    log = MadeUpLog(100, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 100", "following")
        log.total = 250
        pane.grew(250)
        await operator.reads("line 250", "250 lines")
        assert operator.rows[-1].strip() == "line 250"


async def test_who_reads_above_is_not_carried_along() -> None:
    log = MadeUpLog(100, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 100")
        await operator.press("g")
        await operator.reads("line 1\n")
        log.total = 300
        pane.grew(300)
        await operator.reads("300 lines", "line 1\n")
        assert "following" not in operator.text
        await operator.press("f")
        await operator.reads("line 300", "following")


async def test_paging_to_the_end_shows_every_line() -> None:
    log = MadeUpLog(1_700)
    async with reading(log) as (operator, pane):
        await operator.reads("line 1700")
        await operator.press("g")
        seen: set[str] = set()
        while not pane.view.is_at_end:
            await operator.reads_no("…")
            seen.update(row.strip() for row in operator.rows[1:])
            await operator.press("pagedown")
        await operator.reads("line 1700")
        seen.update(row.strip() for row in operator.rows[1:])
        assert seen - {""} == {f"line {number}" for number in range(1, 1_701)}


async def test_what_is_kept_is_bounded() -> None:
    log = MadeUpLog(60_000)
    async with reading(log) as (operator, pane):
        await operator.reads("line 60000")
        for number in range(1, 60_000, 700):
            pane.view.show_line(number)
            pane._see()
            await operator.reads(f"line {number}\n")
        assert len(pane.lines) <= 20_500


async def test_e_goes_from_error_to_error() -> None:
    log = MadeUpLog(30_000, errors=frozenset({100, 105, 20_000}))
    async with reading(log) as (operator, pane):
        await operator.reads("E line 100")
        for wanted in (105, 20_000):
            await operator.press("e")
            await operator.until(lambda wanted=wanted: pane.view.focus_line == wanted, f"at {wanted}")
            await operator.reads(f"E line {wanted}")
        await operator.press("e")
        await operator.reads("no error below")
        await operator.press("E")
        await operator.until(lambda: pane.view.focus_line == 105, "back at 105")


async def test_a_text_is_found_far_below_and_again_above() -> None:
    log = MadeUpLog(
        40_000, text_of=lambda number: f"Needle {number}" if number in {12_345, 39_000} else f"line {number}"
    )
    async with reading(log) as (operator, pane):
        await operator.reads("line 40000")
        await operator.press("g", "slash")
        await operator.type("needle")
        await operator.press("enter")
        await operator.reads("Needle 12345")
        await operator.press("n")
        await operator.reads("Needle 39000")
        await operator.press("N")
        await operator.until(lambda: pane.view.focus_line == 12_345, "back above")
        await operator.press("n", "n")
        await operator.reads("no “needle” below")


async def test_a_search_can_be_stopped() -> None:
    log = MadeUpLog(HUGE)
    async with reading(log) as (operator, pane):
        await operator.reads("line 20000000")
        await operator.press("g")
        await operator.reads("line 1\n")
        log.gate.clear()
        await operator.press("slash", "z", "enter")
        await operator.reads("looking for “z”")
        assert pane.escape()
        await operator.reads("stopped")
        log.gate.set()
        await operator.press("j")
        await operator.until(lambda: operator.rows[-1].strip() == "line 24", "the next line")
        assert log.searches == [1]


async def test_a_long_search_says_how_far_it_is() -> None:
    log = MadeUpLog(HUGE, text_of=lambda number: "needle" if number in {3, 12_000} else "hay")
    async with reading(log) as (operator, pane):
        await operator.reads("20,000,000 lines")
        await operator.press("g", "slash")
        await operator.type("NEEDLE")
        await operator.press("enter")
        await operator.until(lambda: pane.view.focus_line == 3, "at the first")
        log.gate.clear()
        await operator.press("n")
        await operator.reads("looking for “NEEDLE”, esc stops")
        log.gate.set()
        await operator.until(lambda: pane.view.focus_line == 12_000, "at the second")
        assert log.searches == [1, 4, 5_004, 10_004]
        log.gate.clear()
        await operator.press("n")
        log.let_through(2)
        await operator.reads("looking for “NEEDLE”: line 22,001, esc stops")
        assert pane.escape()
        await operator.reads("stopped")
        assert pane.view.focus_line == 12_000


async def test_an_error_that_came_unseen_is_gone_to() -> None:
    log = MadeUpLog(100, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 100", "following")
        await operator.press("g")
        await operator.reads("line 1\n")
        log.total, log.errors = 50_000, frozenset({40_000})
        await operator.press("e")
        await operator.reads("E line 40000")
        assert pane.view.focus_line == 40_000


async def test_a_search_over_a_cut_line_says_so() -> None:
    log = MadeUpLog(9_000)
    async with reading(log) as (operator, _):
        await operator.reads("line 9000")
        log.is_down = True
        await operator.press("slash", "z", "enter")
        await operator.reads("the line is cut")


async def test_nothing_in_a_line_commands_the_terminal() -> None:
    nasty = "\x1b[31mred\x1b[0m \x1b]0;title\x07after\ttab\x9b2J \u202eback\r\n"
    async with reading(MadeUpLog(1, text_of=lambda _: nasty)) as (operator, _):
        await operator.reads("red after")
        assert operator.rows[1].split() == ["red", "after", "tab", "back"]


async def test_lines_that_are_announced_before_they_are_written_are_not_lost() -> None:
    log = MadeUpLog(10, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 10")
        pane.grew(12)
        await operator.reads("12 lines")
        log.total = 13
        pane.grew(13)
        await operator.reads("line 11", "line 12", "line 13")


async def test_the_last_lines_of_a_run_come_with_its_end() -> None:
    log = MadeUpLog(10, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 10", "following")
        log.total, log.complete = 15, True
        pane.ended()
        await operator.reads("line 15")
        await operator.reads_no("following")


async def test_a_cut_line_is_told_and_mended() -> None:
    log = MadeUpLog(5_000)
    async with reading(log) as (operator, pane):
        await operator.reads("line 5000")
        log.is_down = True
        await operator.press("g")
        await operator.reads("the line is cut")
        log.is_down = False
        pane.retry()
        await operator.reads("line 1\n")
        await operator.reads_no("the line is cut")


async def test_a_log_that_cannot_be_had_at_first_opens_later() -> None:
    log = MadeUpLog(3)
    log.is_down = True
    async with reading(log) as (operator, pane):
        await operator.reads("the line is cut")
        log.is_down = False
        pane.retry()
        await operator.reads("line 3")


async def test_wrapping_shows_the_whole_of_a_long_line() -> None:
    words = "".join(f"{number:04}" for number in range(500))
    async with reading(MadeUpLog(3, text_of=lambda _: words), size=(80, 12)) as (operator, pane):
        await operator.reads("0000")
        await operator.press("W", "g")
        seen = ""
        await operator.until(lambda: operator.rows[1].strip().startswith("0000"), "at the top")
        seen = "".join(row.strip() for row in operator.rows[1:])
        while "0499" not in seen:
            await operator.press("j")
            seen += operator.rows[-1].strip()
        assert words in seen
        assert pane.view.manner.is_wrapped


@pytest.mark.parametrize(
    ("keys", "wanted"), [("T", "12:00:01.000   line 1"), ("TT", "2026-03-02 12:00:01.000   line 1")]
)
async def test_times_can_be_shown(keys: str, wanted: str) -> None:
    async with reading(MadeUpLog(1)) as (operator, _):
        await operator.reads("line 1")
        await operator.press(*keys)
        await operator.reads(wanted)


async def test_a_log_without_lines_says_so_and_why() -> None:
    log = MadeUpLog(0, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("no lines yet", "following")
        log.complete = True
        pane.ended()
        await operator.reads_no("no lines yet")
        await operator.reads("no lines")


async def test_what_was_not_found_stays_told_while_the_log_grows() -> None:
    log = MadeUpLog(100, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 100", "following")
        await operator.press("slash", *"nowhere", "enter")
        await operator.reads("no “nowhere” anywhere")
        log.total = 101
        pane.grew(101)
        await operator.reads("101 lines", "no “nowhere” anywhere")
        assert pane.escape()
        await operator.reads_no("no “nowhere” anywhere")


async def test_a_search_waits_for_the_log_to_open() -> None:
    """It looks from where that is, and opening does not lead away from what was found."""
    log = MadeUpLog(
        3_000,
        errors=frozenset({2_000}),
        text_of=lambda number: f"{'needle' if number % 1_500 == 0 else 'row'} {number}",
    )
    log.gate.clear()
    async with reading(log) as (operator, pane):
        await operator.press("slash", *"needle", "enter")
        await operator.reads("looking for “needle”")
        log.gate.set()
        await operator.reads("needle 3000")
        assert pane.view.focus_line == 3_000


@pytest.mark.parametrize("complete", [True, False])
async def test_from_the_end_a_search_looks_above_where_all_lines_are(complete: bool) -> None:
    log = MadeUpLog(
        100_000, complete=complete, text_of=lambda number: "needle" if number == 70_000 else f"row {number}"
    )
    async with reading(log) as (operator, pane):
        await operator.reads("row 100000")
        await operator.press("slash", *"needle", "enter")
        await operator.until(lambda: pane.view.focus_line == 70_000, "at the hit")
        await operator.reads_no("following")
        await operator.press("n")
        await operator.reads("no “needle” below; N looks above")


async def test_whether_the_log_is_followed_is_told_beside_what_a_search_says() -> None:
    log = MadeUpLog(100, complete=False)
    async with reading(log) as (operator, _):
        await operator.reads("line 100", "following")
        await operator.press("slash", *"nowhere", "enter")
        await operator.reads("no “nowhere” anywhere", "following")
        await operator.press("f")
        await operator.reads_no("following")


async def test_e_at_the_end_goes_to_the_last_error() -> None:
    log = MadeUpLog(100, complete=False)
    async with reading(log) as (operator, pane):
        await operator.reads("line 100", "following")
        log.total, log.errors = 50_000, frozenset({20_000, 40_000})
        pane.grew(50_000)
        await operator.reads("line 50000")
        await operator.press("e")
        await operator.reads("E line 40000")
