"""What is kept of a log, and what is asked for."""

from __future__ import annotations

from console.widgets.log_pane.lines import BLOCK, Lines
from tests.functional.log_pane.log_app import MadeUpLog


async def _filled(log: MadeUpLog, *windows: tuple[int, int], blocks: int = 40) -> Lines:
    lines = Lines(blocks)
    lines.grow(log.total)
    for first, last in windows:
        while (gap := lines.gap(first, last)) is not None:
            lines.take(await log.load(*gap))
    return lines


async def test_a_gap_is_asked_for_once_and_within_its_block() -> None:
    log = MadeUpLog(10_000)
    lines = await _filled(log, (BLOCK - 3, BLOCK + 3))
    assert log.requests == [(BLOCK - 3, 4), (BLOCK + 1, BLOCK)]
    assert lines.gap(BLOCK - 3, 2 * BLOCK) is None


async def test_a_block_that_was_half_read_is_read_on() -> None:
    log = MadeUpLog(7)
    lines = await _filled(log, (1, 7))
    log.total = 12
    lines.grow(12)
    assert lines.gap(1, 12) == (8, 5)


async def test_what_was_looked_at_longest_ago_goes_first() -> None:
    lines = await _filled(MadeUpLog(10_000), (1, 10), (1_001, 1_010), (1, 10), (2_001, 2_010), blocks=2)
    assert len(lines) == 2 * BLOCK
    assert lines.get(1) is not None
    assert lines.get(1_001) is None


async def test_nothing_is_asked_for_beyond_the_ends() -> None:
    lines = await _filled(MadeUpLog(5), (-50, 50))
    assert lines.gap(-50, 50) is None
    assert [line.number for number in range(-1, 9) if (line := lines.get(number))] == [1, 2, 3, 4, 5]
