"""Very many jobs in a store: some published as operators do it, the others copies of them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from agent.app import Agent, open_agent
from agent.settings import Settings
from agent.store import STORE_FILE
from shared.clock import ManualClock
from shared.models import JobInput
from tests.harness.crowd import copy_jobs

BEGIN = datetime(2026, 3, 28, 17, 0, 30, tzinfo=UTC)
"""Half a minute past a full one, so that the first minute is whole; the night that follows is an hour short in Berlin."""
WORKED = 1
"""Priority of the jobs whose runs are carried out; the others' first run waits for good, and their fires are skipped."""


def definitions() -> list[JobInput]:
    """About 24 fires a day each: hourly ones at every minute in two zones, some daily ones, a few each quarter of an hour."""
    hourly = [(f"{minute} * * * *", zone) for minute in range(60) for zone in ("UTC", "Asia/Kolkata")]
    daily = [(f"{hour * 7 % 60} {hour} * * *", "Europe/Berlin") for hour in range(0, 24, 2)]
    quarterly = [(f"{minute}-59/15 * * * *", "Europe/Berlin") for minute in (0, 4, 7, 11, 13)]
    spread = random.Random(7).sample(hourly + daily + quarterly, len(hourly + daily + quarterly))
    return [_definition(number, *each) for number, each in enumerate(spread)]


def _definition(number: int, cron: str, zone: str) -> JobInput:
    return JobInput.model_validate(
        {
            "name": f"job {number:03}",
            "type": "command",
            "data": {"command": ["true"]},
            "interval_type": "cron",
            "interval": cron,
            "timezone": zone,
            "policies": {"priority": WORKED if number % 4 == 0 else 0},
        }
    )


async def opened(data_dir: Path, clock: ManualClock) -> Agent:
    """An agent whose duties the caller moves."""
    return await open_agent(Settings(data_dir=data_dir, bind=""), clock=clock, rng=random.Random(7))


async def gather(data_dir: Path, jobs: int) -> None:
    agent = await opened(data_dir, ManualClock(BEGIN))
    try:
        for definition in definitions():
            await agent.core.jobs.create(agent.core.gate.local(), definition)
    finally:
        await agent.close()
    copy_jobs(data_dir / STORE_FILE, jobs)
