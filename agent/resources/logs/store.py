"""The log store on files: one folder for each run that has said anything."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from agent.core.records import LogSearch
from agent.core.running.masking import Masking
from agent.core.wire import WireLine
from agent.resources.logs.run_log import RunLog
from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.models.run import LogHits, LogPage

OPEN_LOGS = 128
"""Logs kept open; beyond, those used longest ago are closed and opened again when needed."""
FOLLOW_PAGE = 1000
SEARCHERS = 2
SEALED_UNSEEN = 10_000
"""Runs without any line whose end is remembered; older ones are known by their state."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

T = TypeVar("T")


class FileLogStore:
    """Implements `LogStore`. Lines survive the death of the agent at any moment; a power cut may cost the last seconds.

    Threads of its own do the file work, so that the loop never waits for a disk; no search keeps a reader waiting.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._writer = ThreadPoolExecutor(1, "jobdeck-log-writer")
        self._reader = ThreadPoolExecutor(1, "jobdeck-log-reader")
        self._searcher = ThreadPoolExecutor(SEARCHERS, "jobdeck-log-search")
        self._opening = threading.Lock()
        self._open: OrderedDict[str, RunLog] = OrderedDict()
        self._in_use: dict[str, int] = {}
        self._silent: OrderedDict[str, None] = OrderedDict()
        self._news: dict[str, asyncio.Event] = {}

    async def append(self, run_id: str, lines: Sequence[WireLine], mask: Sequence[str]) -> int:
        """Unavailable if the disk takes no more; then none of the lines was stored."""
        with _refusing(f"the log of run {run_id} cannot be written"):
            total = await self._do(self._writer, lambda: self._append(run_id, lines, tuple(mask)))
        self._tell(run_id)
        return total

    async def read(self, run_id: str, *, start: int = 1, limit: int = 200) -> LogPage:
        with _refusing(f"the log of run {run_id} cannot be read"):
            return await self._do(self._reader, lambda: self._read(run_id, start, limit))

    async def search(self, run_id: str, wanted: LogSearch, *, seconds: float = 0.5) -> LogHits:
        """Stops at once when the caller is cancelled."""
        dropped = threading.Event()
        try:
            with _refusing(f"the log of run {run_id} cannot be searched"):
                return await self._do(self._searcher, lambda: self._search(run_id, wanted, seconds, dropped))
        finally:
            dropped.set()

    async def follow(self, run_id: str, start: int) -> AsyncIterator[LogPage]:
        """Pages from line `start` on as they come; the last one is complete, and may be empty."""
        while True:
            news = self._news.setdefault(run_id, asyncio.Event())
            page = await self.read(run_id, start=start, limit=FOLLOW_PAGE)
            if page.lines:
                start = page.lines[-1].number + 1
            over = page.complete and start > page.total
            if page.lines or over:
                yield page
            if over:
                self._news.pop(run_id, None)
                return
            if start > page.total:
                await news.wait()

    async def seal(self, *run_ids: str) -> None:
        await self._do(self._writer, partial(self._seal, run_ids))
        for run_id in run_ids:
            self._tell(run_id)

    async def delete(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            await self._do(self._writer, partial(self._delete, run_id))
            self._tell(run_id)

    def close(self) -> None:
        """Finish what was asked for, and close all files."""
        self._writer.shutdown()
        self._reader.shutdown()
        self._searcher.shutdown()
        for log in self._open.values():
            log.close()
        self._open.clear()

    async def _do(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)

    def _tell(self, run_id: str) -> None:
        news = self._news.pop(run_id, None)
        if news is not None:
            news.set()

    def _append(self, run_id: str, lines: Sequence[WireLine], mask: tuple[str, ...]) -> int:
        self._silent.pop(run_id, None)
        with self._log(run_id) as log:
            return log.append(lines, _masking(mask))

    def _read(self, run_id: str, start: int, limit: int) -> LogPage:
        if not self._exists(run_id):
            return LogPage(lines=[], total=0, complete=run_id in self._silent)
        with self._log(run_id) as log:
            return log.read(start, limit)

    def _search(self, run_id: str, wanted: LogSearch, seconds: float, dropped: threading.Event) -> LogHits:
        if not self._exists(run_id):
            return LogHits(hits=[], total=0, scanned=0)
        end = self._clock.monotonic() + seconds
        with self._log(run_id) as log:
            return log.search(wanted, lambda: dropped.is_set() or self._clock.monotonic() >= end)

    def _seal(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            if self._exists(run_id):
                with self._log(run_id) as log:
                    log.seal()
                self._close_idle(0, run_id)
            else:
                self._silent[run_id] = None
        while len(self._silent) > SEALED_UNSEEN:
            self._silent.popitem(last=False)

    def _delete(self, run_id: str) -> None:
        folder = self._folder(run_id)
        with self._opening:
            log = self._open.pop(run_id, None)
        if log is not None:
            log.close()
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _log(self, run_id: str) -> Iterator[RunLog]:
        """The open log of the run; it is not closed while it is in somebody's hands."""
        with self._opening:
            log = self._open.get(run_id)
            if log is None:
                log = self._open[run_id] = RunLog(self._folder(run_id))
            self._open.move_to_end(run_id)
            self._in_use[run_id] = self._in_use.get(run_id, 0) + 1
        try:
            yield log
        finally:
            with self._opening:
                self._in_use[run_id] -= 1
                if not self._in_use[run_id]:
                    del self._in_use[run_id]
            self._close_idle(OPEN_LOGS)

    def _close_idle(self, keep: int, *only: str) -> None:
        with self._opening:
            spare = [run_id for run_id in only or self._open if run_id in self._open and run_id not in self._in_use]
            for run_id in spare[: max(0, len(self._open) - keep)]:
                self._open.pop(run_id).close()

    def _exists(self, run_id: str) -> bool:
        if run_id in self._open:
            return True
        try:
            os.stat(self._path(run_id))  # noqa: PTH116  (every run asks)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _folder(self, run_id: str) -> Path:
        return Path(self._path(run_id))

    def _path(self, run_id: str) -> str:
        """By the last two characters, for ids begin with the time. NotFound for what cannot be a run's id."""
        if not _RUN_ID.fullmatch(run_id):
            raise NotFound(f"there is no run {run_id!r}")
        return f"{self._root}/{run_id[-2:]}/{run_id}"


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Unavailable, and why, where the disk refuses."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{what}: {error.strerror or error}") from error


@lru_cache(maxsize=256)
def _masking(mask: tuple[str, ...]) -> Masking:
    return Masking(mask)
