"""What a driver's preview sees of a run that is none: it is heard by nobody, and has nothing to reach the outside with."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from agent.core.actions.steps import Steps
from agent.core.driving import DriverError, StepHandle
from agent.core.wire import ActionOrder, AttachmentGrant
from agent.workers.stage import idempotency_key
from shared.clock import Clock, SystemClock
from shared.models import MailServer


class PreviewContext:
    """Implements `RunContext`."""

    def __init__(
        self,
        *,
        run_id: str,
        job_id: str,
        job_name: str,
        action: ActionOrder,
        steps: Steps,
        tail: Sequence[str],
        mail_server: MailServer | None,
        scratch: Path,
    ) -> None:
        self.run_id = run_id
        self.attempt = 1
        self.job_id = job_id
        self.job_name = job_name
        self.account_id = ""
        self.kill_grace = 0.0
        self.clock: Clock = SystemClock()
        self.cancelled = threading.Event()
        self.checkpoint: dict[str, Any] | None = None
        self.allow_private_addresses: list[str] = []
        self.file_roots: list[str] = []
        self.smtp_hosts: list[str] = []
        self.mail_server = mail_server
        self.idempotency_key = idempotency_key(run_id, action.id)
        self.steps = steps
        self.attachments: Sequence[AttachmentGrant] = action.attachments
        self.scratch = scratch
        self._tail = list(tail)

    def check_cancelled(self) -> None:
        return

    def signal_programs(self, number: int) -> int:  # noqa: ARG002  (the protocol names the arguments)
        return 0

    def progress(self, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None: ...

    def log(self, text: str, *, level: str = "info", stream: str = "log") -> None: ...

    def warn(self, text: str) -> None: ...

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[StepHandle]:  # noqa: ARG002
        yield _Unheard()

    def save_checkpoint(self, data: dict[str, Any]) -> None: ...

    def connection(self, name: str) -> NoReturn:
        raise _not_here("connection", name)

    def knowledge_base(self, name: str) -> NoReturn:
        raise _not_here("knowledge base", name)

    def dataset(self, alias: str) -> NoReturn:
        raise _not_here("dataset", alias)

    def secret(self, name: str) -> NoReturn:
        raise _not_here("secret", name)

    def log_tail(self, lines: int) -> list[str]:
        return self._tail[max(0, len(self._tail) - lines) :]


class _Unheard:
    def message(self, text: str) -> None: ...

    def result(self, data: dict[str, Any]) -> None: ...


def _not_here(kind: str, name: str) -> DriverError:
    return DriverError("preview", f"a preview gets no {kind} ({name!r})")
