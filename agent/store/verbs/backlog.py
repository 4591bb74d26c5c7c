"""Held fires: what waits for an operator, or for its turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.records import Held, NewRun, NextTurn
from agent.store.fires import backlog, deciding
from agent.store.verbs.base import Verbs
from shared.models import HeldDecision, HeldJob, Run


class BacklogVerbs(Verbs):
    async def held_up_to(self) -> datetime | None:
        return await self._read(backlog.held_up_to)

    async def hold_up_to(self, moment: datetime) -> None:
        await self._write(backlog.hold_up_to, moment)

    async def backlog(self, account_id: str, job_id: str | None = None, seen_by: str | None = None) -> list[HeldJob]:
        return await self._read(backlog.by_job, account_id, job_id, seen_by)

    async def count_held(self, account_id: str) -> dict[str, int]:
        return await self._read(backlog.count, account_id)

    async def release(self, which: Held, by: str, now: datetime, *, latest_only: bool) -> HeldDecision:
        return await self._write(deciding.release, which, by, now, latest_only)

    async def discard(self, which: Held, by: str, now: datetime) -> HeldDecision:
        return await self._write(deciding.discard, which, by, now)

    async def next_turns(self, limit: int) -> list[NextTurn]:
        return await self._read(backlog.next_turns, limit)

    async def take_turns(self, turns: Sequence[tuple[NextTurn, NewRun]], now: datetime) -> list[Run]:
        return await self._write(deciding.take_turns, turns, now)
