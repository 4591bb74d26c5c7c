"""A fixed world at a fixed time: what screenshots, snapshots and user acts are made from.

with serving(fixed_agent()) as agent:
    app = console_on(agent)                     # for Textual's pilot: a clock that stands, no colours from outside
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)                    # the world is loaded and drawn
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from textual.pilot import Pilot

from console.client.target import Target
from console.options import Options
from console.settings import Settings
from console.shell import Console
from shared.clock import Clock, ManualClock
from shared.models import Job, LogLine, Policies, Progress, Run, RunError, Step
from shared.models.audit import AuditEntry
from shared.states import RunState
from tests.harness.stand_in import StandIn
from tests.harness.telling import PATIENCE

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_REFUSED = RunError(
    kind="source_unreachable", fingerprint="refused", transient=True,
    message="connection refused: orders-db.internal:5432 (is the database running, and does it accept TCP?)",
)  # fmt: skip
_DISK = RunError(kind="exit_status", fingerprint="disk", message="exit status 1: no space left on device")
_ROGUE = RunError(kind="exit_status", fingerprint="rogue", message="bad \x1b[31mrow\x07 in \x9b2J batch\u202e 7")


def job_id(number: int) -> str:
    return f"01900000-0000-7000-8000-00000001{number:04}"


def run_id(number: int) -> str:
    return f"01900000-0000-7000-8000-00000002{number:04}"


def fixed_jobs() -> list[Job]:
    every_ten = {"interval_type": "cron", "interval": "*/10 * * * *", "schedule_text": "every 10 minutes"}
    return [
        _job(1, "Orders into the index", "kb-sync", next_in=240, tags=["search"], recent="cccccccccccfcccccccr", **every_ten),
        _job(2, "Orders export", "command", next_in=600, recent="cccccccccfffffffffff", **every_ten),
        _job(3, "Invoice mailer", "command", recent="ccccffff", tags=["mail"]),
        _job(4, "Nightly backup", "command", next_in=48600, recent="cccccccccccccccccccr", tags=["backup"],
             interval_type="cron", interval="30 2 * * *", timezone="Europe/Berlin", schedule_text="at 02:30 (Europe/Berlin)"),
        _job(5, "Rebuild the vector index", "kb-reset", recent="ccxc", schedule_text=""),
        _job(6, "Cleanup of temporary files", "command", next_in=3600, recent="cccccccccccccccccccc", interval_type="cron",
             interval="0 * * * *", schedule_text="hourly at :00 (UTC)"),
        _job(7, "Customers into the index", "kb-sync", recent="cccccccpp", paused_at=NOW - timedelta(hours=5), **every_ten),
        _job(8, "Old import", "command", enabled=False, recent="", interval_type="cron", interval="0 4 * * 0",
             schedule_text="at 04:00 on Sundays (UTC)"),
        _job(9, "日本語の仕事", "command", next_in=90, recent="ccc", interval_type="simple", interval="2 minutes", schedule_text="every 2 minutes"),
        _job(10, "Rogue \x1b]0;owned\x07name", "command", recent="ff"),
    ]  # fmt: skip


def fixed_job(number: int) -> Job:
    """To read in: all share it."""
    return _made()[number - 1]


@cache
def _made() -> list[Job]:
    return fixed_jobs()


def fixed_runs() -> list[Run]:
    """Newest first: three that run, four that wait, sixteen failures of three causes, forty that went well."""
    runs = [
        _run(90, 1, "running", started=150, done=6200, total=10000, unit="rows", expected=260, late=400),
        _run(89, 4, "running", started=1900, done=71, total=100, unit="%", expected=1500, late=1700),
        _run(88, 5, "running", started=30, expected=120),
        _run(87, 7, "pending", waiting_for="key customers: 1 of 1 running"),
        _run(86, 7, "pending", waiting_for="key customers: 1 of 1 running"),
        _run(85, 6, "pending", available_in=300),
        _run(84, 3, "retrying", started=80, available_in=45, attempt=2, error=_REFUSED),
    ]
    runs += [_run(83 - number, 2, "failed", started=600 * (number + 1), took=2, error=_REFUSED) for number in range(9)]
    runs += [_run(74 - number, 3, "failed", started=700 + 900 * number, took=4, error=_REFUSED) for number in range(4)]
    runs += [_run(70 - number, 10, "failed", started=4000 + number, took=1, error=_ROGUE) for number in range(2)]
    runs += [
        _run(68, 4, "failed", started=90000, took=1200, error=_DISK),
        _run(67, 5, "cancelled", started=5000, took=60),
    ]
    runs += [
        _run(66 - number, 1 + number % 6, "completed", started=1000 + 431 * number, took=3 + number, done=240 * number, unit="rows")
        for number in range(40)
    ]  # fmt: skip
    return runs


def fixed_agent(**details: Any) -> StandIn:
    agent = StandIn(fixed_jobs(), fixed_runs(), NOW, **details)
    agent.entries = fixed_entries()
    failed = run_id(83)
    agent.logs[failed] = [
        LogLine(number=number, at=NOW - timedelta(minutes=10), level="error" if number == 31 else "info", text=text)
        for number, text in enumerate([*(f"read page {page} of orders" for page in range(1, 31)), _REFUSED.message, "giving up"], 1)
    ]  # fmt: skip
    agent.steps[failed] = [
        Step(run_id=failed, position=0, attempt=1, key="read", title="Read the orders", state="failed",
             started_at=NOW - timedelta(minutes=10), finished_at=NOW - timedelta(seconds=598), message="page 30"),
    ]  # fmt: skip
    return agent


def fixed_entry(number: int, act: str = "run_job", minutes: int = 0, **fields: Any) -> AuditEntry:
    at = NOW - timedelta(minutes=minutes, seconds=number % 60)
    given: dict[str, Any] = {
        "number": number, "at": at, "last_at": at, "account_id": "main", "user_id": "u-ops", "handle": "ops", "via": "token",
        "token_id": "t-1", "address": "10.1.4.7", "client": "jobdeck/0.1.0", "act": act, "event": "run.created",
        "subject_id": run_id(number), "subject_name": "Orders export", "revision": 3, "outcome": "done",
    }  # fmt: skip
    return AuditEntry(**given | fields)


def fixed_entries() -> list[AuditEntry]:
    """Oldest first: a night's work of two people and a script."""
    ada = {"user_id": "u-ada", "handle": "ada", "via": "session", "token_id": None, "client": "Mozilla/5.0"}
    return [
        fixed_entry(1, "create_token", 2000, event="token.changed", subject_id="t-9", subject_name="nightly", revision=None),
        fixed_entry(2, "share_job", 1500, event="share.changed", subject_id=job_id(3), subject_name="Invoice mailer", **ada),
        fixed_entry(3, "replace_job", 300, event="job.changed", subject_id=job_id(2), revision=4, **ada),
        fixed_entry(4, "delete_job", 290, event=None, subject_id="invoice-mailer", subject_name=None, revision=None, outcome="refused",
                    reason="this needs job:delete on the job", count=14, handle="ci", user_id="u-ci", address="10.9.0.2"),
        *(fixed_entry(number, minutes=60 - number, subject_name=fixed_job(number % 7 + 1).name) for number in range(5, 30)),
        fixed_entry(30, "pause_job", 3, event="job.changed", subject_id=job_id(7), subject_name="Customers into the index", **ada),
        fixed_entry(31, "cancel_runs", 1, event="run.changed", subject_name="Rogue \x1b]0;owned\x07name", client="curl/8.9"),
    ]  # fmt: skip


def console_on(
    agent: StandIn, *, clock: Clock | None = None, view: str = "all", theme: str = "dark", settings: Settings | None = None,
    environ: Mapping[str, str] | None = None,
) -> Console:  # fmt: skip
    options = Options(settings or Settings(), Target("local", agent.url), theme, view)
    return Console(options, environ or {"LANG": "C.UTF-8"}, clock=clock or ManualClock(NOW))


async def until(pilot: Pilot[Any], what: Callable[[], bool], deadline: float = PATIENCE) -> None:
    """Poll for a state of the app; AssertionError with what it shows when it does not come."""
    over = time.monotonic() + deadline
    while not what():
        assert time.monotonic() < over, f"not reached within {deadline:.0f} s:\n{text_of(pilot.app)}"
        await asyncio.sleep(0.01)
        await pilot.pause()


async def settled(pilot: Pilot[Any]) -> None:
    """The world is loaded and drawn."""
    app = pilot.app
    assert isinstance(app, Console)
    await until(pilot, lambda: app.session.world.link.online and bool(app.session.world.runs))
    await until(pilot, lambda: "live" in text_of(app))


def text_of(app: Any) -> str:
    """The screen as text, a line a row."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


_STATES = {"c": "completed", "f": "failed", "x": "cancelled", "r": "running", "p": "pending"}


def _job(number: int, name: str, kind: str, *, next_in: int | None = None, recent: str = "", **fields: Any) -> Job:
    slug = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return Job(
        id=job_id(number), name=name, slug=slug or f"job-{number}", type=kind, owner_id="u-ops", account_id="main",
        next_run_at=NOW + timedelta(seconds=next_in) if next_in else None, recent=[_STATES[state] for state in recent],
        policies=Policies(), created_at=NOW - timedelta(days=30), updated_at=NOW - timedelta(days=1), **fields,
    )  # fmt: skip


def _run(
    number: int, job: int, state: str, *, started: int | None = None, took: int | None = None, done: int = 0,
    total: int | None = None, unit: str = "", expected: float | None = None, late: float | None = None,
    available_in: int = 0, attempt: int = 1, error: RunError | None = None, waiting_for: str | None = None,
) -> Run:  # fmt: skip
    of = fixed_job(job)
    begun = None if started is None else NOW - timedelta(seconds=started)
    created = (begun or NOW - timedelta(seconds=60)) - timedelta(seconds=1)
    return Run(
        id=run_id(number), number=number, job_id=of.id, job_name=of.name, account_id="main", owner_id="u-ops", type=of.type,
        revision=1, state=RunState(state), cause="schedule" if of.interval_type != "none" else "manual", created_at=created,
        available_at=NOW + timedelta(seconds=available_in) if available_in else created, started_at=begun,
        finished_at=begun + timedelta(seconds=took) if begun and took is not None else None,
        attempt=attempt if begun else 0, max_attempts=3, progress=Progress(done=done, total=total, unit=unit),
        error=error, waiting_for=waiting_for, expected_seconds=expected, late_after_seconds=late,
        version=3 if begun else 1,
    )  # fmt: skip
