"""What a run has done to a knowledge base so far, over all its attempts: only what was committed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from agent.resources.knowledge.writing import Batch


@dataclass(slots=True)
class Counts:
    rows_synced: int = 0
    """Rows inserted or changed."""
    bytes_synced: int = 0
    """UTF-8 bytes of their content."""
    rows_seen: int = 0
    rows_unchanged: int = 0
    rows_deleted: int = 0
    replayed: int = 0
    """Rows at or before the watermark, read again because of the lag."""
    embedded: int = 0
    """Texts given to the embedder."""

    @classmethod
    def from_json(cls, text: str) -> Counts:
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def plus(self, batch: Batch, seen: int, replayed: int) -> Counts:
        """The counts once the batch is committed."""
        return Counts(
            self.rows_synced + batch.changed,
            self.bytes_synced + batch.bytes,
            self.rows_seen + seen,
            self.rows_unchanged + batch.unchanged,
            self.rows_deleted,
            self.replayed + replayed,
            self.embedded + batch.embedded,
        )

    def as_result(self) -> dict[str, Any]:
        return asdict(self)
