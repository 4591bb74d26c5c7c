"""Pausing and resuming while somebody else changes the job."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.functional.agent.stage import NOON, Stage


@pytest.mark.parametrize("act", ["pause", "resume"])
async def test_the_next_fire_is_that_of_the_schedule_which_is_stored(stage: Stage, act: str) -> None:
    job = await stage.job(interval_type="cron", interval="0 18 * * *")
    if act == "resume":
        job = await stage.core.jobs.pause(stage.me, job.id)
    store = stage.agent.sql
    write = store.set_paused

    async def after_an_edit(*given: Any) -> Any:
        store.set_paused = write  # type: ignore[method-assign]
        await stage.edit(job, interval="0 13 * * *")
        return await write(*given)

    store.set_paused = after_an_edit  # type: ignore[method-assign]
    await getattr(stage.core.jobs, act)(stage.me, job.id)
    due = await store.due_state(job.account_id, job.id)
    assert (due.job.next_run_at, due.paused_since) == (_one_o_clock(), NOON if act == "pause" else None)


def _one_o_clock() -> datetime:
    return NOON.replace(hour=13)
