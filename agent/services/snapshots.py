"""Tells the store, and so everybody who listens, what has become of snapshots when a run is over."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.ports import Snapshots, Store
from agent.services.poller import Poller
from shared.models import Event
from shared.models.dataset import Dataset
from shared.states import FINAL

_LONGEST_REST = 300.0
_BETWEEN = 1.0


class SnapshotWatch(Poller):
    """Workers write snapshots beside the store; a killed one may have finished its own without a word."""

    def __init__(self, store: Store, snapshots: Snapshots) -> None:
        super().__init__()
        self._store = store
        self._snapshots = snapshots
        self._ended = True
        """A run has ended since the last look; before the first, many may have."""
        self._moved: dict[str, Dataset] = {}
        """By id: what is found in their folders is not noted yet."""
        self._quiet = False
        """A look has just been: runs end by the hundred, and one look a second is for all of them."""

    def hear(self, events: Sequence[Event]) -> None:
        if any(event.kind == "run.changed" and event.data["state"] in FINAL for event in events):
            self._ended = True
            if not self._quiet:
                self.wake()

    async def poll(self) -> float:
        self._quiet = False
        if not self._ended and not self._moved:
            return _LONGEST_REST
        self._ended, self._quiet = False, True
        try:
            moved = await self._snapshots.moved(await self._store.all_datasets())
        except BaseException:
            self._ended = True
            raise
        self._moved |= {dataset.id: dataset for dataset in moved}
        await self._note_moved()
        return _BETWEEN

    async def _note_moved(self) -> None:
        """One that cannot be noted now stops no other, and is noted later: nobody says again that it has moved."""
        failed: Exception | None = None
        for dataset in list(self._moved.values()):
            try:
                found = await self._snapshots.list(dataset)
                latest = found[0] if found else None
                await self._store.note_snapshots(dataset.account_id, dataset.id, latest, len(found))
            except Exception as error:
                failed = failed or error
            else:
                del self._moved[dataset.id]
        if failed is not None:
            raise failed
