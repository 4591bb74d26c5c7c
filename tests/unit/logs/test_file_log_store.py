"""The log store on real files."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.core.wire import WireLine
from agent.resources.logs import FileLogStore, index, text
from shared.clock import ManualClock
from shared.errors import NotFound, Unavailable
from tests.harness.telling import PATIENCE

_AT = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=UTC)
_RUN = "01890000-0000-7000-8000-0000000000ab"


def _lines(*texts: str, level: Any = "info", stream: Any = "log") -> list[WireLine]:
    return [WireLine(at=_AT, level=level, stream=stream, text=each) for each in texts]


def _numbered(first: int, count: int) -> list[WireLine]:
    return _lines(*(f"line {number}" for number in range(first, first + count)))


def _open(root: Path) -> FileLogStore:
    return FileLogStore(root, ManualClock(_AT))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileLogStore]:
    store = _open(tmp_path)
    yield store
    store.close()


def _found(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


async def _texts(store: FileLogStore, start: int = 1, limit: int = 200) -> list[str]:
    return [line.text for line in (await store.read(_RUN, start=start, limit=limit)).lines]


async def test_lines_come_back_as_they_were(store: FileLogStore) -> None:
    said = [
        WireLine(at=_AT, level="warning", stream="stderr", text="ünïcode ✓ \x1b[31mred\x1b[0m \x00 \r"),
        WireLine(at=_AT, level="debug", stream="stdout", text=""),
        WireLine(at=_AT, level="error", stream="log", text="boom"),
    ]
    assert await store.append(_RUN, said, []) == 3
    page = await store.read(_RUN)
    assert [(line.at, line.level, line.stream, line.text) for line in page.lines] == [
        (line.at, line.level, line.stream, line.text) for line in said
    ]
    assert [line.number for line in page.lines] == [1, 2, 3]
    assert (page.total, page.first_error, page.complete) == (3, 3, False)


async def test_any_range_can_be_read(store: FileLogStore) -> None:
    for first in range(1, 1001, 100):
        await store.append(_RUN, _numbered(first, 100), [])
    assert await _texts(store, 1, 2) == ["line 1", "line 2"]
    assert await _texts(store, 500, 3) == ["line 500", "line 501", "line 502"]
    assert await _texts(store, -3) == ["line 998", "line 999", "line 1000"]
    assert await _texts(store, -5000, 1) == ["line 1"]
    assert await _texts(store, 1000, 10) == ["line 1000"]
    assert await _texts(store, 1001) == []
    assert await _texts(store, 0, 1) == ["line 1"]


async def test_segments_are_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "SEGMENT", 1000)
    store = _open(tmp_path)
    for first in range(1, 1001, 30):
        await store.append(_RUN, _numbered(first, 30), [])
    assert len(_found(tmp_path)) > 6
    assert await _texts(store, 1, 2000) == [f"line {number}" for number in range(1, 1021)]
    store.close()
    assert await _texts(_open(tmp_path), 333, 1) == ["line 333"]


async def test_secrets_never_reach_the_disk(store: FileLogStore, tmp_path: Path) -> None:
    key = "-----BEGIN KEY-----\nMIIabcdef0123\nxx\n-----END KEY-----"
    said = _lines("token=s3cret s3cretlonger.", "MIIabcdef0123", "nothing")
    await store.append(_RUN, said, ["s3cret", "s3cretlonger", key, ""])
    assert await _texts(store) == ["token=••• •••.", "•••", "nothing"]
    written = b"".join(path.read_bytes() for path in _found(tmp_path))
    assert b"s3cret" not in written
    assert b"MII" not in written


async def test_a_text_of_several_lines_is_several_lines(store: FileLogStore) -> None:
    assert await store.append(_RUN, _lines("a\nb", "c"), []) == 3
    assert await _texts(store) == ["a", "b", "c"]


async def test_the_first_error_stays_the_first(store: FileLogStore) -> None:
    await store.append(_RUN, _numbered(1, 10), [])
    await store.append(_RUN, [*_numbered(11, 5), *_lines("boom", "again", level="error")], [])
    await store.append(_RUN, _lines("later", level="error"), [])
    assert (await store.read(_RUN)).first_error == 16


async def test_a_page_is_bounded_whatever_the_lines_are(store: FileLogStore) -> None:
    await store.append(_RUN, _lines(*["x" * 65536] * 200), [])
    page = await store.read(_RUN, limit=200)
    assert 1 <= len(page.lines) < 70
    assert page.total == 200


async def test_sealing_lasts_until_a_further_attempt(store: FileLogStore, tmp_path: Path) -> None:
    await store.append(_RUN, _numbered(1, 1), [])
    await store.seal(_RUN)
    assert (await store.read(_RUN)).complete
    store.close()
    again = _open(tmp_path)
    assert (await again.read(_RUN)).complete
    await again.append(_RUN, _numbered(2, 1), [])
    page = await again.read(_RUN)
    assert (page.complete, page.total) == (False, 2)
    again.close()


async def test_a_run_that_said_nothing_costs_no_file(store: FileLogStore, tmp_path: Path) -> None:
    assert (await store.read(_RUN)).complete is False
    await store.seal(_RUN)
    page = await store.read(_RUN)
    assert (page.lines, page.total, page.complete) == ([], 0, True)
    assert _found(tmp_path) == []


async def test_deleted_logs_are_gone(store: FileLogStore, tmp_path: Path) -> None:
    await store.append(_RUN, _numbered(1, 5), [])
    await store.delete([_RUN, "never-was"])
    assert (await store.read(_RUN)).total == 0
    assert _found(tmp_path) == []


@pytest.mark.parametrize("run_id", ["../../etc/passwd", "", "a/b", ".", "..", "a\0b", "x" * 200])
async def test_what_is_no_id_reaches_no_file(store: FileLogStore, run_id: str) -> None:
    for act in (
        store.read(run_id),
        store.append(run_id, _numbered(1, 1), []),
        store.seal(run_id),
        store.delete([run_id]),
    ):
        with pytest.raises(NotFound):
            await act


async def _gather(pages: AsyncIterator[Any]) -> list[str]:
    return [line.text async for page in pages for line in page.lines]


async def test_followers_get_every_line_once_and_end(store: FileLogStore) -> None:
    followers = [asyncio.create_task(_gather(store.follow(_RUN, start))) for start in (1, 1, 40)]
    for first in range(1, 5001, 50):
        await store.append(_RUN, _numbered(first, 50), [])
    await store.seal(_RUN)
    whole = [f"line {number}" for number in range(1, 5001)]
    assert await asyncio.wait_for(asyncio.gather(*followers), PATIENCE) == [whole, whole, whole[39:]]


async def test_following_a_silent_run_ends_with_it(store: FileLogStore) -> None:
    follower = asyncio.create_task(_gather(store.follow(_RUN, 1)))
    await store.read(_RUN)
    await store.seal(_RUN)
    assert await asyncio.wait_for(follower, PATIENCE) == []


async def test_many_runs_at_once(store: FileLogStore) -> None:
    runs = [f"{number:04d}-run" for number in range(300)]
    for first in (1, 6):
        await asyncio.gather(*(store.append(run, _numbered(first, 5), []) for run in runs))
    for run in runs:
        page = await store.read(run)
        assert [line.text for line in page.lines] == [f"line {number}" for number in range(1, 11)]
    assert len(_found(Path("/proc/self/fd"))) < 600


def _files(root: Path) -> tuple[Path, Path]:
    return next(root.rglob("*.log")), next(root.rglob("index"))


async def test_a_torn_tail_is_cut_at_any_byte(tmp_path: Path) -> None:
    """Whatever of the two files reached the disk, whole lines come back in order and writing goes on."""
    whole = tmp_path / "whole"
    store = _open(whole)
    await store.append(_RUN, [*_numbered(1, 3), *_lines("boom", level="error")], [])
    store.close()
    log, idx = (path.read_bytes() for path in _files(whole))
    chance = random.Random(7)
    places = [(a, b) for a in range(0, len(log) + 1, 3) for b in range(index.HEADER.size - 5, len(idx) + 1, 5)]
    for case, (a, b) in enumerate(chance.sample(places, min(120, len(places)))):
        root = tmp_path / str(case)
        folder = root / _files(whole)[0].parent.relative_to(whole)
        folder.mkdir(parents=True)
        (folder / _files(whole)[0].name).write_bytes(log[:a])
        (folder / "index").write_bytes(idx[:b])
        torn = _open(root)
        page = await torn.read(_RUN)
        assert [line.text for line in page.lines] == ["line 1", "line 2", "line 3", "boom"][: page.total]
        assert page.first_error == (4 if page.total == 4 else None)
        possible = min(log[:a].count(b"\n"), max(0, b - index.HEADER.size) // index.ENTRY)
        assert page.total == possible
        assert await torn.append(_RUN, _lines("after", level="error"), []) == page.total + 1
        assert (await _texts(torn))[-1] == "after"
        assert (await torn.read(_RUN)).first_error == (4 if page.total == 4 else page.total + 1)
        torn.close()


async def test_a_full_disk_stores_all_of_a_batch_or_nothing(
    store: FileLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(_RUN, _numbered(1, 10), [])
    write, left = os.pwrite, 40

    def short(file: int, data: Any, place: int) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data)[:left]
        left -= len(part)
        return write(file, part, place)

    monkeypatch.setattr(os, "pwrite", short)
    with pytest.raises(Unavailable, match="No space left"):
        await store.append(_RUN, _numbered(11, 10), [])
    monkeypatch.setattr(os, "pwrite", write)
    assert (await store.read(_RUN)).total == 10
    await store.append(_RUN, _numbered(11, 1), [])
    assert await _texts(store, -2) == ["line 10", "line 11"]


async def test_a_disk_too_full_to_begin_a_log_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: Any, place: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = _open(tmp_path)
    await store.read(_RUN)
    before = psutil.Process().num_fds()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        for _ in range(20):
            with pytest.raises(Unavailable, match="No space left"):
                await store.append(_RUN, _numbered(1, 1), [])
            with pytest.raises(Unavailable, match="No space left"):
                await store.read(_RUN)
    assert psutil.Process().num_fds() <= before + 1, "the writer's thread and nothing else"
    await store.append(_RUN, _numbered(1, 2), [])
    assert await _texts(store) == ["line 1", "line 2"]
    store.close()


async def test_a_segment_that_cannot_be_begun_leaves_the_one_before_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no closed descriptor in use, which would soon be another file's."""
    monkeypatch.setattr(text, "SEGMENT", 50)
    store, opened = _open(tmp_path), os.open
    await store.append(_RUN, _numbered(1, 10), [])

    def full(path: Any, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(".log") and flags & os.O_CREAT and not Path(path).exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, flags, mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(Unavailable, match="No space left"):
            await store.append(_RUN, _numbered(11, 10), [])
        with (tmp_path / "another").open("w+b") as another:
            with pytest.raises(Unavailable, match="No space left"):
                await store.append(_RUN, _numbered(11, 10), [])
            assert another.read() == b""
    assert await store.append(_RUN, _numbered(11, 10), []) == 20
    assert await _texts(store, -20) == [f"line {number}" for number in range(1, 21)]
    store.close()


_WRITER = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from agent.core.wire import WireLine
from agent.resources.logs import FileLogStore
from shared.clock import SystemClock

async def main():
    store, number = FileLogStore(Path(sys.argv[1]), SystemClock()), 0
    while True:
        lines = [WireLine(at=datetime.now(UTC), text=f"line {number + n}") for n in range(1, 38)]
        number = await store.append(sys.argv[2], lines, [])
        print(number, flush=True)

asyncio.run(main())
"""


def _kill_a_writer(root: Path) -> int:
    """Kill a process in the midst of its writing; the lines that it had been told are stored."""
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(root), _RUN], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(200)]
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
    return int([line for line in told if line.endswith(b"\n")][-1])


async def test_a_killed_writer_loses_nothing_that_it_had_acknowledged(tmp_path: Path) -> None:
    told = _kill_a_writer(tmp_path)
    store = _open(tmp_path)
    assert (await store.read(_RUN)).total >= told
    assert await _texts(store, told, 1) == [f"line {told}"]
    store.close()


async def test_memory_stays_flat_and_reading_quick(store: FileLogStore) -> None:
    batch = _numbered(0, 1000)
    for _ in range(100):
        await store.append(_RUN, batch, [])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(400):
        await store.append(_RUN, batch, [])
    assert len((await store.read(_RUN, start=-200)).lines) == 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "kB"
