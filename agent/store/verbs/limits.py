"""What accounts may have."""

from __future__ import annotations

from datetime import datetime

from agent.store.identity import limits
from agent.store.verbs.base import Verbs
from shared.models import AccountAllowance, AccountLimits


class LimitVerbs(Verbs):
    async def put_default_limits(self, given: AccountLimits) -> None:
        await self._write(limits.put_defaults, given)

    async def account_limits(self, account_id: str) -> AccountLimits:
        return await self._read(limits.of, account_id)

    async def account_allowance(self, account_id: str, now: datetime) -> AccountAllowance:
        return await self._read(limits.allowance, account_id, now)

    async def put_account_limits(self, account_id: str, given: AccountLimits, now: datetime) -> None:
        await self._write(limits.put, account_id, given, now)
