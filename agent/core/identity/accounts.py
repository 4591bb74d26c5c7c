"""Accounts: made, listed, disabled by who administers the agent."""

from __future__ import annotations

import builtins

from agent.core.identity.people import Administration, check_account
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports.identity import IdentityStore
from shared.clock import Clock
from shared.errors import Conflict
from shared.models import Account, AccountAllowance, AccountLimits


class Accounts:
    def __init__(self, store: IdentityStore, clock: Clock, admins: Administration, local: Caller) -> None:
        self._store = store
        self._clock = clock
        self._admins = admins
        self._local = local

    async def create(self, caller: Caller, account_id: str) -> Account:
        """The agent's own user is its first administrator."""
        self._admins.require(caller)
        return await self._store.insert_account(check_account(account_id), self._local.user_id, self._clock.now())

    async def list(self, caller: Caller) -> builtins.list[Account]:
        self._admins.require(caller)
        return await self._store.list_accounts()

    async def get(self, caller: Caller, account_id: str) -> Account:
        self._admins.require(caller)
        return await self._store.get_account(account_id)

    async def allowance(self, caller: Caller, account_id: str) -> AccountAllowance:
        """What it may have, and has; of one's own for who administers it, too."""
        caller.require(Scope.ADMIN)
        if account_id != caller.account_id:
            self._admins.require(caller)
        return await self._store.account_allowance(account_id, self._clock.now())

    async def limit(self, caller: Caller, account_id: str, limits: AccountLimits) -> AccountAllowance:
        """Its own limits, all of them. What is there already stays, also where it is more."""
        self._admins.require(caller)
        now = self._clock.now()
        await self._store.put_account_limits(account_id, limits, now)
        return await self._store.account_allowance(account_id, now)

    async def disable(self, caller: Caller, account_id: str) -> Account:
        """Nobody calls for it any more, at once; what is scheduled in it goes on. Conflict for the agent's own."""
        self._admins.require(caller)
        known = await self._store.get_account(account_id)
        if known.id == self._local.account_id:
            raise Conflict(f"'{account_id}' is the agent's own account (setting `account`): it stays enabled")
        now = self._clock.now()
        return await self._store.disable_account(known.id, known.disabled_at or now, now)

    async def enable(self, caller: Caller, account_id: str) -> Account:
        self._admins.require(caller)
        known = await self._store.get_account(account_id)
        return await self._store.disable_account(known.id, None, self._clock.now())
