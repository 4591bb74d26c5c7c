"""What the driver of one step sees of its run: the run's context, with what is this step's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from agent.core.actions.steps import MAIN, Steps
from agent.core.driving import StepHandle
from agent.core.wire import ActionOrder, AttachmentGrant, ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from agent.workers.context import WorkerContext

SaveOwn = Callable[[dict[str, Any]], None]


class StageContext:
    """Implements `RunContext`. Lines, notes and steps of an action begin with its name; the job's own driver is heard
    as if it were alone."""

    def __init__(
        self,
        worker: WorkerContext,
        action: ActionOrder | None,
        steps: Steps,
        checkpoint: dict[str, Any] | None,
        save: SaveOwn,
    ) -> None:
        self._worker = worker
        self._save = save
        self._key = f"{action.id}/" if action else ""
        self._name = action.name if action else ""
        self.run_id = worker.run_id
        self.attempt = worker.attempt
        self.job_id = worker.job_id
        self.job_name = worker.job_name
        self.account_id = worker.account_id
        self.kill_grace = worker.kill_grace
        self.clock = worker.clock
        self.cancelled: threading.Event = worker.cancelled
        self.checkpoint = checkpoint
        self.allow_private_addresses = worker.allow_private_addresses
        self.file_roots = worker.file_roots
        self.smtp_hosts = worker.smtp_hosts
        self.mail_server = worker.mail_server
        self.idempotency_key = idempotency_key(worker.run_id, action.id if action else MAIN)
        self.steps = steps
        self.attachments: Sequence[AttachmentGrant] = action.attachments if action else ()

    @property
    def scratch(self) -> Path:
        return self._worker.scratch

    def check_cancelled(self) -> None:
        self._worker.check_cancelled()

    def signal_programs(self, number: int) -> int:
        return self._worker.signal_programs(number)

    def progress(self, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None:
        named = f"{self._name}: {note}".rstrip(": ") if self._name else note
        self._worker.progress(done, total, unit=unit, note=named)

    def log(self, text: str, *, level: str = "info", stream: str = "log") -> None:
        self._worker.log(named_lines(self._name, str(text)), level=level, stream=stream)

    def warn(self, text: str) -> None:
        self._worker.warn(f"{self._name}: {text}" if self._name else text)

    def step(self, key: str, title: str) -> AbstractContextManager[StepHandle]:
        return self._worker.step(self._key + key, f"{self._name}: {title}" if self._name else title)

    def save_checkpoint(self, data: dict[str, Any]) -> None:
        self.checkpoint = data
        self._save(data)

    def connection(self, name: str) -> ConnectionGrant:
        return self._worker.connection(name)

    def knowledge_base(self, name: str) -> KnowledgeBaseGrant:
        return self._worker.knowledge_base(name)

    def dataset(self, alias: str) -> DatasetGrant:
        return self._worker.dataset(alias)

    def secret(self, name: str) -> str:
        return self._worker.secret(name)

    def log_tail(self, lines: int) -> list[str]:
        return self._worker.log_tail(lines)


def idempotency_key(run_id: str, step: str) -> str:
    """Of the job's own driver it is the run's id alone, as in a job without actions."""
    return run_id if step == MAIN else f"{run_id}.{step}"


def named_lines(name: str, text: str) -> str:
    """The text with `[name] ` before each of its lines."""
    return "\n".join(f"[{name}] {line}" for line in text.split("\n")) if name else text
