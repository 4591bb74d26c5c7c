"""What is old goes by itself: rows, then their logs, a little at a time; a crash in between is made good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.core.wire import WireLine
from agent.services import retention
from agent.services.retention import Retention
from shared.models import Job, Run, TokenInput
from tests.functional.agent.stage import HOUR, Stage, opened


async def run_with_log(stage: Stage, job: Job) -> Run:
    run: Run = await stage.core.jobs.run_now(stage.me, job.id)
    [claimed] = await stage.claim()
    line = WireLine(at=stage.clock.now(), level="info", stream="log", text="hello")
    await stage.agent.logs.append(run.id, [line], [])
    await stage.agent.logs.seal(run.id)
    await stage.complete(claimed)
    return run


async def tidy_up(stage: Stage) -> int:
    """Until there is nothing more to do; the polls that it took."""
    polls = 1
    while await stage.duty(Retention).poll() < 30:
        polls += 1
    return polls


def logs(stage: Stage) -> set[str]:
    return {path.name for path in (stage.path / "logs").glob("*/*")}


async def test_rows_logs_and_ledger_go_when_they_are_old(tmp_path: Path) -> None:
    keep: dict[str, Any] = {"keep_runs_for": 2 * HOUR, "keep_fires_for": 2 * HOUR, "keep_runs_per_job": 1}
    async with opened(tmp_path / "data", **keep) as stage:
        job = await stage.minutely()
        await stage.tick()
        await stage.work_off()
        old = [await run_with_log(stage, job) for _ in range(3)]
        assert logs(stage) == {run.id for run in old}
        await tidy_up(stage)
        assert len(await stage.runs(job)) == 4
        stage.clock.advance(3 * HOUR)
        young = await run_with_log(stage, job)
        await tidy_up(stage)
        assert [run.id for run in await stage.runs(job)] == [young.id]
        assert logs(stage) == {young.id}
        assert await stage.agent.sql.gone_runs(10) == []
        assert len(await stage.fires(job)) == 1


async def test_defaults_delete_nothing_of_this_quarter(stage: Stage) -> None:
    job = await stage.job()
    run = await run_with_log(stage, job)
    stage.clock.advance(timedelta(days=89))
    await tidy_up(stage)
    assert [each.id for each in await stage.runs(job)] == [run.id]


async def test_a_crash_between_rows_and_logs_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep: dict[str, Any] = {"keep_runs_for": HOUR, "keep_runs_per_job": 0}
    async with opened(tmp_path / "data", **keep) as stage:
        job = await stage.job()
        await run_with_log(stage, job)
        stage.clock.advance(2 * HOUR)

        async def crash(_run_ids: Sequence[str]) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(stage.agent.logs, "delete", crash)
        with pytest.raises(RuntimeError, match="killed"):
            await tidy_up(stage)
        assert (await stage.runs(job), len(logs(stage))) == ([], 1)
        clock = stage.clock
    async with opened(tmp_path / "data", clock, **keep) as stage:
        await tidy_up(stage)
        assert (logs(stage), await stage.agent.sql.gone_runs(10)) == (set(), [])


async def test_never_more_than_a_few_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    async with opened(tmp_path / "data", keep_runs_for=HOUR, keep_runs_per_job=0) as stage:
        job = await stage.job()
        for _ in range(7):
            await run_with_log(stage, job)
        stage.clock.advance(2 * HOUR)
        deleted: list[int] = []
        delete_runs = stage.agent.sql.delete_runs

        async def counted(numbers: Sequence[int]) -> int:
            deleted.append(await delete_runs(numbers))
            return deleted[-1]

        monkeypatch.setattr(stage.duty(Retention)._runs, "_delete", counted)
        await tidy_up(stage)
        assert deleted == [2, 2, 2, 1]


async def test_more_than_the_count_are_never_kept(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as stage:
        job = await stage.job()
        runs = [await run_with_log(stage, job) for _ in range(5)]
        await stage.core.jobs.run_now(stage.me, job.id)
        object.__setattr__(stage.duty(Retention)._settings, "__dict__", {**vars(stage.agent.settings), "keep_runs": 2})
        await tidy_up(stage)
        left = await stage.runs(job)
        assert [run.id for run in left[:2]] == [run.id for run in runs[3:]]
        assert (len(left), logs(stage)) == (3, {run.id for run in runs[3:]})


async def test_credentials_that_open_nothing_go_in_their_time(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", keep_tokens_for=2 * HOUR, session_idle=HOUR) as stage:
        gate = stage.core.gate
        made = [await gate.tokens.create(gate.local(), TokenInput(name=name, scopes=["read"])) for name in ("a", "b")]
        await gate.tokens.revoke(gate.local(), made[0].info.id)
        stage.clock.advance(2 * HOUR)
        await tidy_up(stage)
        assert len(await gate.tokens.list(gate.local())) == 2
        stage.clock.advance(HOUR)
        await tidy_up(stage)
        assert [each.id for each in await gate.tokens.list(gate.local())] == [made[1].info.id]
