"""What goes when its time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent.core.records import OldRows, StoreSize


class Pruning(Protocol):
    """Deleting what is over and old, a little at a time."""

    async def old_runs(self, after: int, before: datetime, spare: int) -> OldRows:
        """Of the runs behind number `after` some that ended before that moment, but for each job's newest `spare`."""

    async def surplus_runs(self, keep: int, most: int) -> list[int]:
        """Numbers of the oldest that are over, beyond the newest `keep` of those."""

    async def delete_runs(self, numbers: Sequence[int]) -> int:
        """With all that is theirs but their logs: see `gone_runs`. Those that are not over stay. Returns how many went."""

    async def gone_runs(self, most: int) -> list[str]:
        """Deleted runs whose logs may still be there."""

    async def forget_gone_runs(self, run_ids: Sequence[str]) -> None:
        """Their logs are deleted."""

    async def old_fires(self, after: int, before: datetime, spare: int) -> OldRows:
        """As `old_runs`, of the ledger; what is held is not old."""

    async def delete_fires(self, numbers: Sequence[int]) -> int: ...

    async def named_blobs(self) -> frozenset[str]:
        """SHA-256 of every content that a revision or a draft names."""

    async def dead_tokens(self, before: datetime, most: int) -> list[str]:
        """Some of those that were revoked, or had expired, before that moment."""

    async def delete_tokens(self, token_ids: Sequence[str]) -> None:
        """What they did stays in the record."""

    async def prune_sessions(self, now: datetime, idle_since: datetime) -> int:
        """Those that are over, or were used last before `idle_since`. Returns how many went."""

    async def give_back_space(self) -> bool:
        """Return some of what deleting has freed to the disk, where it is much; True if there is more."""

    async def size(self) -> StoreSize: ...
