"""Where it is tried out what an action would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.core.actions.steps import StepDone
from agent.core.wire import ActionOrder
from shared.models import MailServer


@dataclass(frozen=True, slots=True)
class PreviewTask:
    """An action as a run would have it. `preview`: the driver's own function for it; `steps`: what those before have
    brought, by id, with the ids by name; nothing secret is in it."""

    job_id: str
    job_name: str
    run_id: str
    action: ActionOrder
    preview: str | None
    steps: dict[str, StepDone] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    log_tail: list[str] = field(default_factory=list)
    mail_server: MailServer | None = None


@dataclass(frozen=True, slots=True)
class Previewed:
    """`holds`: what the condition says, None without one; `would`: what would be done; `problem`: why that cannot be
    told, or would fail."""

    holds: bool | None = None
    would: dict[str, Any] | None = None
    problem: str | None = None


class Previewer(Protocol):
    async def preview(self, task: PreviewTask) -> Previewed:
        """In a process of its own, within bounds of time and memory; what goes wrong there is its `problem`."""
