"""Searching in logs: the same lines as looking at each of them would give."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.records import LogSearch
from agent.core.running.masking import Masking
from agent.core.wire import WireLine
from agent.resources.logs import FileLogStore, folding, snapshot, text
from agent.resources.logs.run_log import RunLog
from shared.clock import ManualClock
from shared.models.run import LogHits
from tests.harness.long import examples

_AT = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
_RUN = "01890000-0000-7000-8000-0000000000ab"
_LETTERS = "aAbB 1[{@`äÄöÖжЖрРπΠ✓\x00\r"
_LEVELS = ("debug", "info", "warning", "error")


def _line(said: str, level: Any = "info", stream: Any = "log") -> WireLine:
    return WireLine(at=_AT, level=level, stream=stream, text=said)


@contextmanager
def _written(batches: list[list[WireLine]]) -> Iterator[RunLog]:
    with TemporaryDirectory() as root:
        log = RunLog(Path(root) / "run")
        for batch in batches:
            log.append(batch, Masking([]))
        yield log
        log.close()


def _search(log: RunLog, wanted: LogSearch, *, is_over: bool) -> list[int]:
    """All that it finds, asked for again and again; each answer must be further than the one before."""
    found: list[int] = []
    place = wanted.start
    while True:
        hits = log.search(_from(wanted, place), lambda: is_over)
        found += [line.number for line in hits.hits]
        assert len(hits.hits) <= wanted.limit
        assert hits.scanned > 0 or hits.next is None
        if hits.next is None:
            return found
        assert place is None or place < 0 or (hits.next < place if wanted.backwards else hits.next > place)
        place = hits.next


def _from(wanted: LogSearch, start: int | None) -> LogSearch:
    return LogSearch(wanted.text, wanted.level, start, wanted.limit, wanted.backwards, wanted.match_case)


def _naive(lines: list[WireLine], wanted: LogSearch) -> list[int]:
    found = []
    for number, line in enumerate(lines, 1):
        said, needle = (line.text, wanted.text) if wanted.match_case else (line.text.lower(), wanted.text.lower())
        if needle in said and wanted.level in {None, line.level}:
            found.append(number)
    count = len(lines)
    start = wanted.start if wanted.start is not None else (count if wanted.backwards else 1)
    start = start + count + 1 if start < 0 else start
    if wanted.backwards:
        return [number for number in reversed(found) if number <= start]
    return [number for number in found if number >= start]


_said = st.one_of(st.text(_LETTERS, max_size=12), st.text("aA1", min_size=60, max_size=200))
_line_of = st.builds(_line, _said, st.sampled_from(_LEVELS), st.sampled_from(("log", "stdout", "stderr")))
_batches = st.lists(st.lists(_line_of, min_size=1, max_size=12), max_size=8)
_wanted = st.builds(
    LogSearch,
    text=st.text(_LETTERS, min_size=1, max_size=4),
    level=st.none() | st.sampled_from(_LEVELS),
    start=st.none() | st.integers(-100, 100),
    limit=st.integers(1, 5),
    backwards=st.booleans(),
    match_case=st.booleans(),
) | st.builds(
    LogSearch, level=st.sampled_from(_LEVELS), start=st.none() | st.integers(-100, 100), backwards=st.booleans()
)


@examples(40)
@given(batches=_batches, wanted=_wanted, is_over=st.booleans(), is_long=st.booleans())
def test_it_finds_what_looking_at_each_line_finds(
    batches: list[list[WireLine]], wanted: LogSearch, is_over: bool, is_long: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "WORTH", 0 if is_long else 1 << 60)
        patch.setattr(text, "SEGMENT", 150)
        patch.setattr(snapshot, "CHUNK", 16)
        patch.setattr(snapshot, "BLOCK", 4)
        with _written(batches) as log:
            lines = [line for batch in batches for line in batch]
            assert _search(log, wanted, is_over=is_over) == _naive(lines, wanted)


def test_letters_are_the_same_one_for_one() -> None:
    said = ["straße", "STRASSE", "STRAẞE", "Kelvin \u212a", "ĳ Ĳ ǅ ǆ Ǆ", "İ"]
    with _written([[_line(each) for each in said]]) as log:
        for needle, wanted in (("STRASSE", [2]), ("stRAße", [1]), ("k", [4]), ("ǆ", [5]), ("i", [4])):
            assert _search(log, LogSearch(needle, limit=9), is_over=False) == wanted


def test_a_torn_tail_is_not_found(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append([_line(f"word {number}") for number in range(1, 6)], Masking([]))
    log.close()
    segment = next(tmp_path.glob("*.log"))
    segment.write_bytes(segment.read_bytes()[:-3])
    log = RunLog(tmp_path)
    assert _search(log, LogSearch("word", limit=9), is_over=False) == [1, 2, 3, 4]
    log.append([_line("word again")], Masking([]))
    assert _search(log, LogSearch("word", backwards=True), is_over=False) == [5, 4, 3, 2, 1]
    log.close()


def test_long_lines_make_an_answer_shorter_not_larger() -> None:
    with _written([[_line("x" * 60_000) for _ in range(200)]]) as log:
        hits = log.search(LogSearch("x", limit=200), lambda: False)
        assert 60 <= len(hits.hits) <= 75
        assert hits.next == len(hits.hits) + 1
        assert _search(log, LogSearch("x", limit=200), is_over=False) == list(range(1, 201))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileLogStore]:
    made = FileLogStore(tmp_path, ManualClock(_AT))
    yield made
    made.close()


async def _every(store: FileLogStore, needle: str) -> list[int]:
    found: list[int] = []
    start: int | None = 1
    while start is not None:
        hits = await store.search(_RUN, LogSearch(needle, start=start, limit=50), seconds=1)
        found += [line.number for line in hits.hits]
        start = hits.next
    return found


async def test_what_is_written_meanwhile_disturbs_nothing(store: FileLogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "SEGMENT", 2_000)
    monkeypatch.setattr(snapshot, "CHUNK", 100)
    said = [f"{'even' if number % 2 == 0 else 'odd'} {number}" for number in range(1, 2_001)]

    async def write() -> None:
        for first in range(0, 2_000, 40):
            await store.append(_RUN, [_line(each) for each in said[first : first + 40]], [])

    writing = asyncio.create_task(write())
    while not writing.done():
        found = await _every(store, "EVEN")
        assert found == list(range(2, len(found) * 2 + 1, 2))
    await writing
    assert await _every(store, "EVEN") == list(range(2, 2_001, 2))


async def test_an_answer_comes_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Running(ManualClock):
        def monotonic(self) -> float:
            self.advance(timedelta(seconds=0.1))
            return super().monotonic()

    monkeypatch.setattr(snapshot, "CHUNK", 100)
    store = FileLogStore(tmp_path, Running(_AT))
    await store.append(_RUN, [_line(f"line {number:04}") for number in range(1_000)], [])  # ten lines a chunk
    hits = await store.search(_RUN, LogSearch("nowhere"), seconds=0.55)
    assert (hits.hits, hits.next, hits.scanned, hits.total) == ([], 61, 60, 1_000)
    store.close()


async def test_who_is_dropped_stops_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "CHUNK", 1)
    asked, stopped = threading.Event(), threading.Event()

    class Watched(ManualClock):
        def monotonic(self) -> float:
            asked.set()
            return super().monotonic()

    class Watching(FileLogStore):
        def _search(self, *words: Any) -> LogHits:
            try:
                return super()._search(*words)
            finally:
                stopped.set()

    store = Watching(tmp_path, Watched(_AT))  # its time never passes
    await store.append(_RUN, [_line("x" * 1_000) for _ in range(2_000)], [])
    searching = asyncio.create_task(store.search(_RUN, LogSearch("nowhere", limit=9)))
    await asyncio.to_thread(asked.wait)
    searching.cancel()
    assert await asyncio.to_thread(stopped.wait, 2), "two million steps are left"
    store.close()


async def test_a_run_without_a_log_has_nothing_to_find(store: FileLogStore) -> None:
    none = LogHits(hits=[], scanned=0, total=0)
    assert await store.search(_RUN, LogSearch("x")) == none
    await store.append(_RUN, [_line("x")], [])
    await store.delete([_RUN])
    assert await store.search(_RUN, LogSearch("x")) == none


async def test_a_log_that_is_deleted_while_it_is_searched_ends_the_search(
    store: FileLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "SEGMENT", 1_000)
    for _ in range(50):
        await store.append(_RUN, [_line("y" * 900)], [])
    with store._log(_RUN) as log:
        deleted = False

        def delete() -> bool:
            nonlocal deleted
            if not deleted:
                deleted = True
                store._delete(_RUN)
            return False

        assert log.search(LogSearch("x"), delete).hits == []
        assert deleted
