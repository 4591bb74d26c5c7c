"""Users: made, given a role, a password; disabled. By who administers the account, or the agent."""

from __future__ import annotations

import builtins
from collections.abc import Collection

from agent.core.identity.passwords import Passwords, check_password
from agent.core.identity.people import Administration, check_handle
from agent.core.identity.records import Link, NewMember, NewUser
from agent.core.identity.scopes import require_held, scopes_of
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports.identity import IdentityStore
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, InvalidInput
from shared.ids import NewId
from shared.models import LinkInput, MembershipInput, User, UserInput


class Users:
    def __init__(
        self,
        store: IdentityStore,
        clock: Clock,
        new_id: NewId,
        passwords: Passwords,
        admins: Administration,
        issuers: Collection[str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._passwords = passwords
        self._admins = admins
        self._issuers = issuers

    async def create(self, caller: Caller, given: UserInput) -> User:
        """With a membership; without a password there are tokens, and what a linked issuer says. Nobody gives what it
        does not have."""
        caller.require(Scope.ADMIN)
        account = self._admins.account_for(caller, given.account)
        handle = check_handle(given.handle)
        require_held(scopes_of(given.role, code=given.code), caller.scopes, "the caller")
        if self._admins.is_protected("", handle):
            self._admins.require(caller)
        password = given.password
        hashed = await self._passwords.hash(check_password(password, handle)) if password is not None else None
        link = self._link(caller, given.link, handle) if given.link else None
        new = NewUser(self._new_id(), handle, self._clock.now(), hashed, link)
        await self._store.insert_user(new, NewMember(account, new.id, given.role, given.code))
        return await self._store.get_user(new.id, self._admins.sees(caller))

    async def list(self, caller: Caller) -> builtins.list[User]:
        caller.require(Scope.ADMIN)
        return await self._store.list_users(self._admins.sees(caller))

    async def get(self, caller: Caller, key: str) -> User:
        """By id or handle; NotFound beyond what the caller sees."""
        caller.require(Scope.ADMIN)
        return await self._store.get_user(key, self._admins.sees(caller))

    async def put_membership(self, caller: Caller, key: str, given: MembershipInput) -> User:
        """Change the role in an account; the agent's administrators also bring a user into another one."""
        user = await self._changeable(caller, key)
        account = self._admins.account_for(caller, given.account)
        await self._store.get_account(account)
        require_held(scopes_of(given.role, code=given.code), caller.scopes, "the caller")
        if self._admins.is_local(user.id):
            raise Conflict(f"'{user.handle}' is the agent's own user: it keeps its role")
        await self._store.put_member(NewMember(account, user.id, given.role, given.code), self._clock.now())
        return await self._store.get_user(user.id, self._admins.sees(caller))

    async def set_password(self, caller: Caller, key: str, password: str) -> None:
        """The user's sessions end. Whoever sets it could be the user from then on: so the caller must have all that the
        user has, wherever that is."""
        user = await self._changeable(caller, key)
        if not self._admins.is_of_agent(caller):
            held = await self._store.list_standings(user.id)
            if any(standing.account_id != caller.account_id for standing in held):
                raise Forbidden(f"'{user.handle}' belongs to other accounts too: the agent's administrators set it")
        hashed = await self._passwords.hash(check_password(password, user.handle))
        await self._store.put_password(user.id, hashed, None, self._clock.now())

    async def link(self, caller: Caller, key: str, given: LinkInput) -> User:
        """Whoever has bearers of that issuer for that subject is the user from then on: for the agent's administrators,
        as an issuer and its subjects are no account's own. Conflict if another user is linked so."""
        user = await self.get(caller, key)
        if self._admins.is_local(user.id):
            raise Conflict(f"'{user.handle}' is the agent's own user: it is who opens the socket, and nobody's bearer")
        await self._store.link_user(user.id, self._link(caller, given, user.handle), self._clock.now())
        return await self._store.get_user(user.id, self._admins.sees(caller))

    async def unlink(self, caller: Caller, key: str) -> User:
        """No bearer is the user any more, from this moment on."""
        user = await self._changeable(caller, key)
        await self._store.link_user(user.id, None, self._clock.now())
        return await self._store.get_user(user.id, self._admins.sees(caller))

    def _link(self, caller: Caller, given: LinkInput, handle: str) -> Link:
        self._admins.require(caller)
        if given.issuer not in self._issuers:
            known = ", ".join(self._issuers) or "none"
            raise InvalidInput.one("issuer", f"is none of the setting `issuers`; there are {known}", given.issuer)
        return Link(given.issuer, given.subject or handle)

    async def disable(self, caller: Caller, key: str, account: str | None) -> User:
        """In one account; everywhere, where the agent's administrators name none. At once, whatever is shown."""
        return await self._switch(caller, key, account, off=True)

    async def enable(self, caller: Caller, key: str, account: str | None) -> User:
        return await self._switch(caller, key, account, off=False)

    async def _switch(self, caller: Caller, key: str, account: str | None, *, off: bool) -> User:
        user = await self._changeable(caller, key)
        if off and self._admins.is_local(user.id):
            raise Conflict(f"'{user.handle}' is the agent's own user: it stays enabled")
        now = self._clock.now()
        at = now if off else None
        if account is None and self._admins.is_of_agent(caller):
            await self._store.disable_user(user.id, at, now)
        else:
            await self._store.disable_member(self._admins.account_for(caller, account), user.id, at, now)
        return await self._store.get_user(user.id, self._admins.sees(caller))

    async def _changeable(self, caller: Caller, key: str) -> User:
        """NotFound for who the caller does not see, Forbidden for who may do more than the caller."""
        user = await self.get(caller, key)
        if not self._admins.is_of_agent(caller):
            if self._admins.is_protected(user.id, user.handle):
                raise Forbidden(f"'{user.handle}' administers the agent: only the agent's administrators change that")
            held = frozenset(Scope(scope) for each in user.memberships for scope in each.scopes)
            require_held(held, caller.scopes, "the caller")
        return user
