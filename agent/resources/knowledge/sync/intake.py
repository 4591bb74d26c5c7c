"""The intake of one share: scans the source, hands its pages to the writer, keeps the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.resources.knowledge.relay import Relay
from agent.resources.knowledge.sync.counts import Counts
from agent.resources.knowledge.sync.plan import Plan
from agent.resources.knowledge.sync.scan import Scan, optional_from_json, optional_to_json
from agent.resources.knowledge.sync.source import Bounds, Page, Position, TableSource
from agent.resources.knowledge.sync.values import at_most, before
from agent.resources.knowledge.writing import Checkpoint, ShareWriter

DELETE_ROWS = 2000
CANCEL_SECONDS = 0.2
LEAVE_SECONDS = 2.0


class Intake:
    """Resumes where the share's checkpoint stands if that was made for the same columns; else starts anew.

    `again` reads every row anew even if a watermark is there.
    """

    def __init__(
        self,
        context: RunContext,
        source: TableSource,
        writer: ShareWriter,
        plan: Plan,
        batch_size: int,
        *,
        again: bool = False,
    ) -> None:
        self._context = context
        self._source = source
        self._writer = writer
        self._batch_size = batch_size
        self._scope = json.dumps(plan.scope)
        self.counts = Counts()
        self.watermark: Any = None
        self.heard: Callable[[Counts], None] | None = None
        """Told after each commit."""
        self._unfinished: Scan | None = None
        self._same_run = False
        self._load(again=again)

    def bring_in_changes(self, lag: timedelta | float | None) -> None:
        """Every row from the watermark, less the lag, up to the newest there is now."""
        unfinished = self._unfinished
        if unfinished and not unfinished.bounds.whole:
            self._context.log(f"resuming after {unfinished.seen} of {unfinished.total} rows")
            self._scan(unfinished)
        newest = self._source.newest()
        if newest is None:
            return
        start = None if self.watermark is None else before(self.watermark, lag)
        bounds = Bounds(start, newest)
        if total := self._source.count(bounds):
            self._scan(Scan(bounds, total))

    def bring_in_everything(self) -> None:
        """Every row of the table by its key; then rows that the table no longer has are deleted."""
        unfinished = self._unfinished
        if unfinished and unfinished.bounds.whole and self._same_run:
            self._context.log(f"resuming the comparison after {unfinished.seen} of {unfinished.total} rows")
            scan = unfinished
        else:
            bounds = Bounds(newest=self._source.newest(), whole=True)
            scan = Scan(bounds, self._source.count(bounds))
            self._writer.save(self._checkpoint(scan, self.counts), forget_seen=True)
        self._delete_unseen(self._read(scan))
        self.watermark = scan.bounds.newest
        self._writer.save(self._checkpoint(None, self.counts), forget_seen=True)

    def _load(self, *, again: bool) -> None:
        stored = self._writer.checkpoint()
        if stored is None:
            return
        self._same_run = stored.run_id == self._context.run_id
        if self._same_run:
            self.counts = Counts.from_json(stored.counts)
        if stored.scope != self._scope:
            self._context.log("the columns are not those of the last sync: every row is read again")
            return
        if again and not self._same_run:
            return
        self.watermark = optional_from_json(json.loads(stored.watermark)) if stored.watermark else None
        self._unfinished = Scan.from_json(stored.scan) if stored.scan else None

    def _scan(self, scan: Scan) -> None:
        self._read(scan)
        self.watermark = scan.bounds.newest
        self._unfinished = None
        self._writer.save(self._checkpoint(None, self.counts))

    def _read(self, scan: Scan) -> Scan:
        """One page is read, one compared and embedded, one committed, all at once; never two commits."""
        replayed_until = self.watermark
        self._context.progress(scan.seen, scan.total, unit="rows")
        with Relay(self._writer) as relay:
            for page in self._pages(scan):
                self._context.check_cancelled()
                batch = relay.prepare(page.rows)
                self._context.check_cancelled()
                scan = scan.at(page.last, len(page.rows))
                counts = self.counts.plus(batch, len(page.rows), _replayed(page, replayed_until))
                checkpoint, done = self._checkpoint(scan, counts), partial(self._committed, scan, counts)
                relay.commit(batch, page.rows, checkpoint, done, whole=scan.bounds.whole)
            relay.settle()
        return scan

    def _committed(self, scan: Scan, counts: Counts) -> None:
        self.counts = counts
        if self.heard is not None:
            self.heard(self.counts)
        self._context.progress(scan.seen, max(scan.total, scan.seen), unit="rows")

    def _pages(self, scan: Scan) -> Iterator[Page]:
        """Pages in order; the next one is read while the caller works on this one."""
        reader = ThreadPoolExecutor(1, thread_name_prefix="read-source")
        try:
            after, coming = scan.position, self._fetch(reader, scan, scan.position)
            while (page := self._arrived(coming)).rows:
                self._check_advance(page, after)
                after, full = page.last, len(page.rows) == self._batch_size
                if full:
                    coming = self._fetch(reader, scan, after)
                yield page
                if not full:
                    return
        finally:
            # A cancelled run leaves a slow query to itself.
            ended = wait([coming], timeout=LEAVE_SECONDS if self._context.cancelled.is_set() else None).done
            reader.shutdown(wait=bool(ended), cancel_futures=True)

    def _fetch(self, reader: ThreadPoolExecutor, scan: Scan, after: Position | None) -> Future[Page]:
        return reader.submit(self._source.page, scan.bounds, after, self._batch_size)

    def _arrived(self, coming: Future[Page]) -> Page:
        while not wait([coming], timeout=CANCEL_SECONDS).done:
            self._context.check_cancelled()
        return coming.result()

    def _check_advance(self, page: Page, after: Position | None) -> None:
        if len(page.rows) == self._batch_size and page.last == after:
            raise DriverError(
                "cursor_precision",
                "the filter column holds values finer than a microsecond, more of them alike than fit one batch;"
                " raise batch_size or take another filter column",
            )

    def _delete_unseen(self, scan: Scan) -> None:
        while ids := self._writer.unseen(DELETE_ROWS):
            self._context.check_cancelled()
            self.counts.rows_deleted += len(ids)
            self._writer.delete(ids, self._checkpoint(scan, self.counts))

    def _checkpoint(self, scan: Scan | None, counts: Counts) -> Checkpoint:
        watermark = optional_to_json(self.watermark)
        return Checkpoint(
            self._scope,
            None if watermark is None else json.dumps(watermark),
            None if scan is None else scan.to_json(),
            self._context.run_id,
            counts.to_json(),
        )


def _replayed(page: Page, watermark: Any) -> int:
    if watermark is None:
        return 0
    return sum(value is not None and at_most(value, watermark) for value in page.filters)
