"""A console on a world that never changes, at a moment that never passes: for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from textual.app import App

from console.acting import Acting
from console.client.answers import Attempt
from console.keymap import Keymap
from console.live import Live
from console.model import World
from console.render.look import UNICODE
from console.screens.run_detail import RunDetail
from console.session import ConsoleSession
from console.settings import Settings
from console.theme import add_themes, look_of, use_theme
from shared.clock import ManualClock
from shared.models import LogLine, LogPage, Progress, Run, RunError, Step
from shared.states import RunState

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_STARTED = NOW - timedelta(minutes=2, seconds=5)
_LINES = [
    ("info", "reading orders from shop"),
    ("info", "batch 1: 2,000 rows"),
    ("warning", "row 17: price is missing, taken as 0"),
    ("debug", "batch 2: 2,000 rows"),
    ("error", "connection refused by shop:5432"),
    ("info", "waiting 5 s before the next try"),
]


def failed() -> Run:
    error = RunError(
        kind="source_unreachable", message="connection refused by shop:5432", transient=True, fingerprint="9f2c66aa01"
    )
    ended = {"finished_at": NOW - timedelta(seconds=5), "error": error, "warnings": ["1 row has no price"]}
    return _run(RunState.FAILED).model_copy(update=ended)


def cancelling() -> Run:
    asked = {"cancel_requested_at": NOW - timedelta(seconds=3), "cancel_deadline_at": NOW + timedelta(seconds=7)}
    return _run(RunState.RUNNING).model_copy(update=asked)


def late() -> Run:
    return _run(RunState.RUNNING).model_copy(update={"expected_seconds": 60.0, "late_after_seconds": 90.0})


class FixedApp(App[None]):
    """Shows one run; a stand-in for the agent answers with what stands in this file."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, run: Run, *, log: bool = False) -> None:
        super().__init__()
        add_themes(self)
        use_theme(self, "dark")
        self.clock = ManualClock(NOW)
        session: Any = ConsoleSession(
            client=_Answers(run),  # type: ignore[arg-type]
            world=World(),
            clock=self.clock,
            settings=Settings(),
            look=look_of("dark", UNICODE),
            keymap=Keymap(),
            shell=self,  # type: ignore[arg-type]
        )
        session.acting = Acting(session, lambda: None)
        session.live = Live(session, self.set_timer)
        session.world.restart([run], [], 1)
        session.world.link = session.world.link.up(NOW)
        self._shown = RunDetail(session, run.id, log=log)

    def on_mount(self) -> None:
        self.push_screen(self._shown)

    def keys_held(self, *, brief: bool = False, once: bool = False) -> AbstractContextManager[None]:
        return nullcontext()


class _Answers:
    def __init__(self, run: Run) -> None:
        self.target = SimpleNamespace(name="local", colour=None)
        self.runs = self
        self._run = run

    async def steps(self, run_id: str) -> Sequence[Step]:
        of_run: dict[str, Any] = {"run_id": run_id, "attempt": 1}
        return [
            Step(position=1, key="inspect", title="Inspect shop.orders", state="completed", started_at=_STARTED,
                 finished_at=_STARTED + timedelta(seconds=2), **of_run),
            Step(position=2, key="read", title="Read and embed", state="running", started_at=_STARTED + timedelta(seconds=2),
                 message="4,000 of 10,000 rows", **of_run),
        ]  # fmt: skip

    async def attempts(self, _: str) -> Sequence[Attempt]:
        return [
            Attempt(
                attempt=1,
                claimed_at=_STARTED - timedelta(seconds=40),
                ended_at=_STARTED - timedelta(seconds=30),
                outcome="failed",
            ),
            Attempt(attempt=2, claimed_at=_STARTED),
        ]

    async def log(self, _: str, start: int, limit: int) -> LogPage:
        lines = [
            LogLine(number=number, at=_STARTED + timedelta(seconds=number), level=level, text=text)  # type: ignore[arg-type]
            for number, (level, text) in enumerate(_LINES, 1)
        ]
        first = max(1, len(lines) + start + 1) if start < 0 else start
        is_over = self._run.finished_at is not None
        return LogPage(lines=lines[first - 1 : first - 1 + limit], total=len(lines), first_error=5, complete=is_over)


def _run(state: RunState) -> Run:
    return Run(
        id="01957a00-0000-7000-8000-000000000001", number=1204, job_id="job-1", job_name="Orders into the index",
        account_id="default", owner_id="user-1", type="kb-sync", revision=3, state=state, cause="schedule",
        fire_at=NOW - timedelta(minutes=3), created_at=NOW - timedelta(minutes=3), available_at=NOW - timedelta(minutes=3),
        started_at=_STARTED, attempt=2, max_attempts=3, version=4,
        progress=Progress(done=4_000, total=10_000, unit="rows", note="embedding"),
    )  # fmt: skip
