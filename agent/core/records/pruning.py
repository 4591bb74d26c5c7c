"""What may go, and what room there is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OldRows:
    """What one look found that may go, and behind which number the next one goes on; None: the pass is over."""

    numbers: list[int]
    position: int | None


@dataclass(frozen=True, slots=True)
class StoreSize:
    """Bytes of the store's file, and how many of them are free for what comes."""

    total: int
    free: int
