"""State into text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from console.render import amounts, progress, spans
from console.render.look import ASCII, UNICODE, Glyphs
from console.render.safe import drop_controls, to_one_line
from console.render.states import LETTERS, MARK_WIDTH, recent_strip, state_mark, state_text
from console.theme import PALETTES, choose_glyphs, choose_theme, look_of
from shared.models.run import Progress, Run
from shared.states import RunState

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LOOK = look_of("dark")


def run_of(elapsed: float = 60, state: str = "running", **fields: object) -> Run:
    values = {
        "id": "r", "number": 1, "job_id": "j", "job_name": "orders", "account_id": "a", "owner_id": "o",
        "type": "command", "revision": 1, "state": state, "created_at": NOW, "available_at": NOW,
        "started_at": NOW - timedelta(seconds=elapsed),
    }  # fmt: skip
    return Run.model_validate(values | fields)


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_states_differ_by_glyph_and_by_letter(theme: str, glyphs: Glyphs) -> None:
    marks = [state_mark(state, look_of(theme, glyphs)).plain for state in RunState]
    assert len({mark[0] for mark in marks}) == len({mark[2] for mark in marks}) == len(RunState)
    assert {cell_len(mark) for mark in marks} == {MARK_WIDTH}
    assert set(LETTERS) == set(RunState)


def test_cancelling_is_a_mark_beside_running() -> None:
    assert state_text(RunState.RUNNING, LOOK, cancelling=True).plain == "► R⊘ cancelling"
    assert state_text(RunState.RUNNING, LOOK).plain == "► R  running"
    assert state_text(RunState.CANCELLED, LOOK, cancelling=True).plain == "⊘ X  cancelled"


def test_recent_runs_end_at_the_right() -> None:
    strip = recent_strip(["completed", "failed", "paused"], LOOK, 6)
    assert strip.plain == "   ▂█?"
    assert len(recent_strip(["failed"] * 30, LOOK).plain) == 20


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3, "0s"),
        (0.42, "0.4s"),
        (59.9, "59s"),
        (80, "1m 20s"),
        (3600, "1h"),
        (7500, "2h 5m"),
        (273600, "3d 4h"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    assert spans.short_span(seconds) == spans.short_span(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "due"),
        (0, "due"),
        (0.5, "in 1s"),
        (59, "in 59s"),
        (60, "in 1m"),
        (119, "in 1m"),
        (11100, "in 3h 5m"),
        (187200, "in 2d 4h"),
    ],
)
def test_countdowns(seconds: float, text: str) -> None:
    assert spans.countdown(NOW + timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-90, "just now"),
        (59, "just now"),
        (60, "1m ago"),
        (7500, "2h 5m ago"),
        (349200, "4d 1h ago"),
        (31 * 86400, "2026-10-22"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert spans.ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize("ahead", [5.5, 42, 59.9, 60, 61, 125, 3600, 86401, 200000, -3, -59, -60, -100, -86400, -90061])
def test_texts_change_when_they_said_they_would(ahead: float) -> None:
    moment = NOW + timedelta(seconds=ahead)
    text = spans.countdown if ahead > 0 else spans.ago
    wait = spans.seconds_to_change(moment, NOW)
    assert wait is not None
    just_before, then = NOW + timedelta(seconds=wait - 0.01), NOW + timedelta(seconds=wait)
    assert text(moment, then) != text(moment, NOW)
    if wait > 0.02:
        assert text(moment, just_before) == text(moment, NOW)


def test_a_date_never_changes() -> None:
    assert spans.seconds_to_change(NOW - timedelta(days=31), NOW) is None


def test_clock_times_are_as_short_as_they_are_clear() -> None:
    assert spans.clock_time(NOW - timedelta(seconds=1), NOW - timedelta(seconds=0.5)) == "02:59:59"
    assert spans.clock_time(NOW - timedelta(days=1), NOW) == "11-21 03:00"
    assert spans.clock_time(NOW - timedelta(days=365), NOW) == "2025-11-22"


@pytest.mark.parametrize(
    ("number", "count", "size"),
    [(0, "0", "0 B"), (999, "999", "999 B"), (1234, "1.2k", "1.2 kB"), (9960, "10k", "10 kB"), (38_400, "38k", "38 kB"),
     (999_600, "1.0M", "1.0 MB"), (1_250_000, "1.2M", "1.2 MB"), (-1500, "-1.5k", "-1.5 kB")],
)  # fmt: skip
def test_amounts(number: int, count: str, size: str) -> None:
    assert amounts.short_count(number) == count
    assert amounts.byte_size(number) == size


def test_one_of_a_drivers_unit_is_no_plural() -> None:
    given = [(1, "rows"), (1, "%"), (1, "s"), (0, "rows"), (1_000, "rows"), (1, "")]
    assert [amounts.amount(*each) for each in given] == ["1 row", "1 %", "1 s", "0 rows", "1.0k rows", "1"]


def test_counts_with_nouns() -> None:
    assert [amounts.count(1, "run"), amounts.count(3, "failed", "failed"), amounts.count(12_345)] == [
        "1 run",
        "3 failed",
        "12,345",
    ]


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [(0, 10, "0%"), (999, 1000, "99%"), (10, 10, "100%"), (12, 10, "100%"), (3, None, ""), (0, 0, "")],
)
def test_percents(done: int, total: int | None, text: str) -> None:
    assert amounts.percent(done, total) == text


@pytest.mark.parametrize("share", [0, 0.01, 0.33, 0.5, 0.999, 1, 1.5, -1])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [0, 1, 10])
def test_a_bar_is_as_wide_as_asked(share: float, glyphs: Glyphs, width: int) -> None:
    text = progress.bar(share, width, look_of("dark", glyphs))
    assert cell_len(text.plain) == width
    assert (text.plain == glyphs.bar * width) == (share >= 1 or width == 0)


def test_bars_of_runs() -> None:
    half = run_of(progress=Progress(done=50, total=100))
    assert progress.progress_bar(half, 14, LOOK).plain == "█████░░░░░ 50%"
    assert progress.progress_bar(half, 3, LOOK).plain == "50%"
    assert progress.progress_bar(run_of(progress=Progress(done=1234, unit="rows")), 14, LOOK).plain == "1.2k rows     "


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, ""),
        ({"expected_seconds": 140.0}, "~1m 20s"),
        ({"progress": Progress(done=50, total=100)}, "1m"),
        ({"progress": Progress(done=50, total=100), "expected_seconds": 80.0}, "40s"),
        ({"expected_seconds": 30.0, "late_after_seconds": 40.0}, "late 20s"),
        ({"expected_seconds": 30.0, "late_after_seconds": 400.0}, ""),
        ({"state": "completed", "expected_seconds": 140.0}, ""),
    ],
)
def test_etas(fields: dict[str, object], text: str) -> None:
    assert progress.eta(run_of(**fields), NOW, LOOK).plain == text  # type: ignore[arg-type]


def test_text_from_outside() -> None:
    assert drop_controls("a\x1b[2Jb\u202ec\n") == "a[2Jbc"
    assert to_one_line("a\nb\tc\x07") == "a b c"


def test_themes_by_name_and_environment() -> None:
    assert choose_theme(None, {}) == "dark"
    assert choose_theme("light", {"NO_COLOR": ""}) == "light"
    assert choose_theme("light", {"NO_COLOR": "1"}) == "terminal"
    with pytest.raises(ValueError, match=r"'pink'.*dark, light, contrast, terminal"):
        choose_theme("pink", {})
    assert choose_glyphs({"LANG": "C"}) is choose_glyphs({"TERM": "linux", "LANG": "de_DE.UTF-8"}) is ASCII
    assert choose_glyphs({"LANG": "C.UTF-8"}) is UNICODE
