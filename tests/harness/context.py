"""A real RunContext for driver tests: what the driver says is kept in lists, and progress can act on the test's behalf."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.core.actions.steps import Steps
from agent.core.driving import RunCancelled
from agent.core.wire import AttachmentGrant, ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from shared.clock import Clock, SystemClock
from shared.models import MailServer


@dataclass
class StepRecord:
    key: str
    title: str
    state: str = "running"
    messages: list[str] = field(default_factory=list)
    data: dict[str, Any] | None = None

    def message(self, text: str) -> None:
        self.messages.append(text)

    def result(self, data: dict[str, Any]) -> None:
        self.data = data


class RecordingContext:
    """`on_progress` is called with every (done, total): the place to look at the world between two batches."""

    def __init__(
        self,
        scratch: Path,
        *,
        connections: dict[str, ConnectionGrant] | None = None,
        knowledge_bases: dict[str, KnowledgeBaseGrant] | None = None,
        secrets: dict[str, str] | None = None,
        datasets: dict[str, DatasetGrant] | None = None,
        file_roots: list[str] | None = None,
        run_id: str = "run-1",
        attempt: int = 1,
        checkpoint: dict[str, Any] | None = None,
        clock: Clock | None = None,
        allow_private_addresses: list[str] | None = None,
    ) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.job_id = "job-1"
        self.job_name = "Job under test"
        self.account_id = "account-1"
        self.scratch = scratch
        self.kill_grace = 10.0
        self.clock: Clock = clock or SystemClock()
        self.cancelled = threading.Event()
        self.checkpoint = checkpoint
        self.allow_private_addresses = allow_private_addresses or []
        self.smtp_hosts: list[str] = []
        self.mail_server: MailServer | None = None
        self.idempotency_key = run_id
        self.steps = Steps()
        self.attachments: list[AttachmentGrant] = []
        self.file_roots = file_roots or []
        self.lines: list[tuple[str, str]] = []
        self.warnings: list[str] = []
        self.steps: list[StepRecord] = []
        self.progressed: list[tuple[int, int | None]] = []
        self.checkpoints: list[dict[str, Any]] = []
        self.on_progress: Callable[[int, int | None], None] = lambda _done, _total: None
        self.on_log: Callable[[str], None] = lambda _text: None
        self._connections = connections or {}
        self._knowledge_bases = knowledge_bases or {}
        self._secrets = secrets or {}
        self._datasets = datasets or {}
        for grant in (*self._knowledge_bases.values(), *self._datasets.values()):
            Path(grant.path).mkdir(parents=True, exist_ok=True)  # as the agent does for what it grants

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise RunCancelled

    def progress(self, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None:
        self.progressed.append((done, total))
        self.on_progress(done, total)

    def log(self, text: str, *, level: str = "info", stream: str = "log") -> None:
        self.lines.append((level, text))
        self.on_log(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[StepRecord]:
        record = StepRecord(key, title)
        self.steps.append(record)
        try:
            yield record
        except RunCancelled:
            record.state = "cancelled"
            raise
        except BaseException:
            record.state = "failed"
            raise
        record.state = "completed"

    def save_checkpoint(self, data: dict[str, Any]) -> None:
        self.checkpoint = data
        self.checkpoints.append(data)

    def connection(self, name: str) -> ConnectionGrant:
        return self._connections[name]

    def knowledge_base(self, name: str) -> KnowledgeBaseGrant:
        return self._knowledge_bases[name]

    def signal_programs(self, number: int) -> int:
        return 0

    def dataset(self, alias: str) -> DatasetGrant:
        return self._datasets[alias]

    def secret(self, name: str) -> str:
        return self._secrets[name]

    def log_tail(self, lines: int) -> list[str]:
        return [text for _, text in self.lines][-lines:]
