"""What an account may have, as the core needs it stored. What is counted is kept in the transaction that adds one:
LimitReached then."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.models import AccountAllowance, AccountLimits


class LimitStore(Protocol):
    async def put_default_limits(self, limits: AccountLimits) -> None:
        """What holds for accounts that have none of their own."""

    async def account_limits(self, account_id: str) -> AccountLimits:
        """What holds for it."""

    async def account_allowance(self, account_id: str, now: datetime) -> AccountAllowance:
        """With what it has. NotFound."""

    async def put_account_limits(self, account_id: str, limits: AccountLimits, now: datetime) -> None:
        """Its own. What is there already stays, however much it is. NotFound."""
