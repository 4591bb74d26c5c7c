"""Tells the store, and so everybody who listens, what has become of snapshots when a run is over."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.ports import Snapshots, Store
from agent.services.poller import Poller
from shared.models import Event
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
        self._quiet = False
        """A look has just been: runs end by the hundred, and one look a second is for all of them."""

    def hear(self, events: Sequence[Event]) -> None:
        if any(event.kind == "run.changed" and event.data["state"] in FINAL for event in events):
            self._ended = True
            if not self._quiet:
                self.wake()

    async def poll(self) -> float:
        self._quiet = False
        if not self._ended:
            return _LONGEST_REST
        self._ended, self._quiet = False, True
        for dataset in await self._snapshots.moved(await self._store.all_datasets()):
            found = await self._snapshots.list(dataset)
            latest = found[0] if found else None
            await self._store.note_snapshots(dataset.account_id, dataset.id, latest, len(found))
        return _BETWEEN
