"""A worker, and what many runs wait for, as rows and in lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.ages import age
from console.render.amounts import count
from console.render.look import Look
from console.render.spans import clock_time
from console.widgets.line import safe_text
from console.widgets.table import Column

if TYPE_CHECKING:
    from shared.models import Run, Worker

WORKER_COLUMNS = (
    Column("state", "State", 10),
    Column("pid", "Process", 8, align="right"),
    Column("job", "Is at", 20, flex=1),
    Column("done", "Runs done", 10, align="right", priority=1),
    Column("heartbeat", "Heard", 10, align="right"),
    Column("since", "Up since", 11, align="right", priority=2),
)
QUEUE_COLUMNS = (
    Column("runs", "Runs", 6, align="right"),
    Column("why", "Wait for", 30, flex=2),
    Column("jobs", "Of", 16, flex=1),
    Column("oldest", "Longest", 10, align="right"),
)
_STATES = {
    "idle": ("○", ".", "muted"), "busy": ("►", ">", "good"), "starting": ("○", ".", "muted"),
    "stopping": ("‖", "=", "warning"), "lost": ("✗", "!", "bad"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Queue:
    """Runs that wait for the same."""

    why: str
    runs: Sequence[Run]

    @property
    def jobs(self) -> list[str]:
        return sorted({run.job_name for run in self.runs})


def queues_of(runs: Iterable[Run], now: datetime) -> list[Queue]:
    """What waits, by what it waits for; the longest queue first."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(_why(run, now), []).append(run)
    queues = [Queue(why, sorted(each, key=lambda run: run.created_at)) for why, each in found.items()]
    return sorted(queues, key=lambda queue: (-len(queue.runs), queue.why))


def _why(run: Run, now: datetime) -> str:
    if run.cancel_due_at is not None:
        return "their cancel"
    if run.waiting_for:
        return run.waiting_for
    return "their time" if run.available_at > now else "a worker"


def worker_cells(worker: Worker, now: datetime, look: Look) -> Sequence[Text]:
    muted = look.palette.muted
    sign, plain, tone = _STATES[worker.state]
    return (
        Text(f"{sign if look.glyphs.bar_parts else plain} {worker.state}", getattr(look.palette, tone)),
        Text(str(worker.pid)),
        safe_text(worker.job_name or ("" if worker.run_id is None else worker.run_id)),
        Text(f"{worker.runs_done:,}", muted),
        Text(age(worker.heartbeat_at, now), muted),
        Text(clock_time(worker.started_at, now), muted),
    )


def describe_worker(worker: Worker, now: datetime, look: Look) -> list[Text]:
    at = f"is at {worker.job_name}, run {worker.run_id}" if worker.run_id else "waits for work"
    facts = f"worker {worker.id} · agent {worker.agent_id} · heard {clock_time(worker.heartbeat_at, now)}"
    return [safe_text(at), safe_text(facts, look.palette.muted)]


def queue_cells(queue: Queue, now: datetime, look: Look) -> Sequence[Text]:
    return (
        Text(f"{len(queue.runs):,}", "bold"),
        safe_text(queue.why),
        safe_text(queue.jobs[0] if len(queue.jobs) == 1 else count(len(queue.jobs), "job"), look.palette.muted),
        Text(age(queue.runs[0].created_at, now), look.palette.muted),
    )


def describe_queue(queue: Queue, look: Look) -> list[Text]:
    return [
        safe_text(f"{count(len(queue.runs), 'run')} wait for {queue.why}"),
        safe_text(", ".join(queue.jobs), look.palette.muted),
    ]
