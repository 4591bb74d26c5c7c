"""An attempt under way, as the supervisor watches it: what was said of it and is not stored yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.core.records import ClaimedRun, Fence, RunUpdate
from agent.core.wire import Checkpointed, Progressed, RunMessage, Settling, Started, StepChanged, Warned


@dataclass(slots=True)
class Watched:
    """What happened in one attempt since the last write."""

    claimed: ClaimedRun
    fence: Fence
    mask: tuple[str, ...]
    leased_at: float
    began_at: datetime | None = None
    started_at: datetime | None = None
    progress: dict[str, Any] | None = None
    checkpoint: dict[str, Any] | None = None
    reached: dict[str, Any] | None = None
    """The newest checkpoint, written or not."""
    warnings: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    log_total: int | None = None
    lost_lines: int = 0
    """Lines that could not be written; the log says so as soon as it can."""
    dirty: bool = False
    settling: bool = False
    """The worker waits until what it said is stored."""
    settled: bool = False
    """It does, for what was taken to be written."""

    def note(self, event: RunMessage) -> None:
        match event:
            case Started(at=at):
                self.started_at = self.began_at = at
            case Progressed(progress=progress):
                self.progress = progress.model_dump()
            case Checkpointed(data=data):
                self.checkpoint = self.reached = data
            case Warned(text=text):
                self.warnings.append(_masked(text, self.mask))
            case StepChanged():
                self.steps.append(event.model_dump(exclude={"op", "run_id"}))
            case Settling():
                self.settling = True

    def take(self) -> RunUpdate:
        update = RunUpdate(
            self.fence, self.started_at, self.progress, self.checkpoint, self.warnings, self.steps, self.log_total
        )
        self.started_at = self.progress = self.checkpoint = self.log_total = None
        self.warnings, self.steps, self.dirty = [], [], False
        self.settled, self.settling = self.settling, False
        return update

    def give_back(self, update: RunUpdate) -> None:
        """It could not be written: what came meanwhile is newer."""
        self.started_at = self.started_at or update.started_at
        self.progress = update.progress if self.progress is None else self.progress
        self.checkpoint = update.checkpoint if self.checkpoint is None else self.checkpoint
        self.log_total = update.log_total if self.log_total is None else self.log_total
        self.warnings, self.steps = [*update.warnings, *self.warnings], [*update.steps, *self.steps]
        self.dirty, self.settling, self.settled = True, self.settling or self.settled, False


def _masked(text: str, mask: tuple[str, ...]) -> str:
    for secret in mask:
        text = text.replace(secret, "•••")
    return text
