"""From what an issuer has signed to a caller: its claims name a user, an account and scopes of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agent.core.callers import Caller, Scope
from agent.core.identity.bearers import Bearers, Proven, claim
from agent.core.identity.people import Administration, check_handle
from agent.core.identity.records import NewMember, NewUser, Standing, UserRecord
from agent.core.ports.identity import IdentityStore
from agent.identity_settings import IssuerSettings
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from shared.ids import NewId

_UNKNOWN = "the bearer's user may not call here"


class Foreigners:
    def __init__(
        self,
        store: IdentityStore,
        clock: Clock,
        new_id: NewId,
        bearers: Bearers,
        admins: Administration,
        home_account: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._bearers = bearers
        self._admins = admins
        self._home_account = home_account

    def are(self, text: str) -> bool:
        return self._bearers.are(text)

    async def caller(self, text: str) -> Caller:
        """What the bearer allows and its user has, here and now. Unauthenticated."""
        proven = await self._bearers.prove(text)
        handle, account = _handle(proven), self._account(proven)
        standing = await self._standing(proven.issuer, handle, account)
        if standing is None or standing.disabled:
            raise Unauthenticated(_UNKNOWN)
        scopes = _scopes(proven) & standing.scopes
        return Caller(account, standing.user_id, standing.handle, scopes, "oauth", expires_at=_moment(proven))

    async def _standing(self, issuer: IssuerSettings, handle: str, account: str) -> Standing | None:
        user = await self._store.find_user(handle)
        if user is not None and not self._may_name(issuer, user, handle):
            return None
        standing = await self._store.find_standing(user.id, account) if user else None
        if standing is None and issuer.provision:
            standing = await self._provision(issuer, user, handle, account)
        return standing

    def _may_name(self, issuer: IssuerSettings, user: UserRecord, handle: str) -> bool:
        """By the handle alone, never by an id; never the agent's own user; and who was made for one issuer is not
        another's to name."""
        if user.disabled or user.handle.lower() != handle.lower() or self._admins.is_local(user.id):
            return False
        return user.issuer in {None, issuer.issuer}

    async def _provision(
        self, issuer: IssuerSettings, user: UserRecord | None, handle: str, account: str
    ) -> Standing | None:
        """A new user, or one that this issuer brought before; never a user of ours into an account more."""
        if user is not None and user.issuer != issuer.issuer:
            return None
        if user is None and self._admins.is_protected("", handle):
            return None
        now = self._clock.now()
        try:
            if user is None:
                new = NewUser(self._new_id(), handle, now, issuer=issuer.issuer)
                await self._store.insert_user(new, NewMember(account, new.id, "member", code=False))
            else:
                await self._store.get_account(account)
                await self._store.put_member(NewMember(account, user.id, "member", code=False), now)
        except Conflict:
            pass  # two requests at once: the other one has made it
        except NotFound:
            return None
        made = await self._store.find_user(handle)
        return await self._store.find_standing(made.id, account) if made else None

    def _account(self, proven: Proven) -> str:
        issuer = proven.issuer
        if issuer.account_claim is None:
            return issuer.account or self._home_account
        named = claim(proven.claims, issuer.account_claim)
        if not isinstance(named, str) or not named:
            raise Unauthenticated(f"the bearer does not say which account: '{issuer.account_claim}' is no text")
        return issuer.accounts.get(named, named)


def _handle(proven: Proven) -> str:
    named = claim(proven.claims, proven.issuer.user_claim)
    try:
        return check_handle(named if isinstance(named, str) else "")
    except InvalidInput:
        where = proven.issuer.user_claim
        raise Unauthenticated(f"the bearer names no user: '{where}' is none that can be one") from None


def _scopes(proven: Proven) -> frozenset[Scope]:
    """What the claim says, in our words; unknown words are others' and mean nothing here."""
    issuer = proven.issuer
    said = claim(proven.claims, issuer.scope_claim)
    if said is None:
        return frozenset(map(Scope, issuer.default_scopes))
    words = _words(said)
    if not issuer.scopes:
        return frozenset(Scope(word) for word in words if word in set(Scope))
    return frozenset(Scope(scope) for word in words for scope in issuer.scopes.get(word, ()))


def _words(said: Any) -> list[str]:
    if isinstance(said, str):
        return said.split()
    return [word for word in said if isinstance(word, str)] if isinstance(said, list) else []


def _moment(proven: Proven) -> datetime | None:
    try:
        return datetime.fromtimestamp(proven.expires_at, UTC)
    except (ValueError, OverflowError, OSError):
        return None
