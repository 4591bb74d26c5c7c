"""Workers and queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from console.screens.roster import RosterScreen, Section, views
from console.screens.workers import cells
from console.screens.workers.cells import Queue
from console.widgets.footer import Offer

if TYPE_CHECKING:
    from shared.models import Worker

_MOST_WAITING = 200


class WorkersScreen(RosterScreen):
    NAME = "workers"
    ACTS: ClassVar[tuple[str, ...]] = (*RosterScreen.ACTS, "open")

    def sections(self) -> Iterable[Section]:
        session = self.session
        yield Section(
            "workers", "Workers", cells.WORKER_COLUMNS, self._workers, lambda worker: worker.id,
            lambda worker: cells.worker_cells(worker, session.now(), session.look),
            lambda worker: cells.describe_worker(worker, session.now(), session.look),
            "no worker has said anything yet", frozenset({"workers"}),
        )  # fmt: skip
        yield Section(
            "waiting", "Waiting", cells.QUEUE_COLUMNS, self._queues, lambda queue: queue.why,
            lambda queue: cells.queue_cells(queue, session.now(), session.look),
            lambda queue: cells.describe_queue(queue, session.look),
            "nothing waits",
        )  # fmt: skip

    def offers(self) -> Sequence[Offer]:
        here = self.here
        opens = isinstance(here, Queue) or (here is not None and here.run_id is not None)
        word = "what waits" if isinstance(here, Queue) else "its run"
        return [*([Offer("open", word)] if opens else []), *views(self._sections)]

    def open_here(self) -> None:
        here = self.here
        if isinstance(here, Queue):
            self.session.shell.go_to("filter", "state:pending,retrying")
        elif here is not None and here.run_id:
            self.session.shell.open_run(here.run_id)

    async def _workers(self) -> Sequence[Worker]:
        found = await self.session.client.world.workers()
        return sorted(found, key=lambda worker: (worker.run_id is None, worker.started_at, worker.id))

    async def _queues(self) -> Sequence[Queue]:
        page = await self.session.client.runs.page(where="state:pending,retrying", limit=_MOST_WAITING)
        return cells.queues_of(page.items, self.session.now())
