"""From what an issuer has signed to a caller: its claims name a user, an account and scopes of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agent.core.identity.bearers import Bearers, Proven, claim
from agent.core.identity.people import Administration, check_handle
from agent.core.identity.records import Link, NewMember, NewUser, Standing, UserRecord
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports.identity import IdentityStore
from agent.identity_settings import IssuerSettings
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from shared.ids import NewId
from shared.models.identity import LONGEST_SUBJECT

_UNKNOWN = "the bearer's user may not call here, or nobody has linked it to one of ours"


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
        link, account = Link(proven.issuer.issuer, _subject(proven)), self._account(proven)
        standing = await self._standing(proven.issuer, link, account)
        if standing is None or standing.disabled:
            raise Unauthenticated(_UNKNOWN)
        scopes = _scopes(proven) & standing.scopes
        return Caller(account, standing.user_id, standing.handle, scopes, "oauth", expires_at=_moment(proven))

    async def _standing(self, issuer: IssuerSettings, link: Link, account: str) -> Standing | None:
        """Of who is linked, whatever users of ours are called."""
        user = await self._store.find_linked(link)
        if user is not None and (user.disabled or self._admins.is_local(user.id)):
            return None
        standing = await self._store.find_standing(user.id, account) if user else None
        if standing is None and issuer.provision:
            standing = await self._provision(link, user, account)
        return standing

    async def _provision(self, link: Link, user: UserRecord | None, account: str) -> Standing | None:
        """A new user, linked; or who is linked already as a member of one account more."""
        try:
            if user is None:
                await self._make(link, account)
            else:
                await self._store.get_account(account)
                await self._store.put_member(NewMember(account, user.id, "member", code=False), self._clock.now())
        except Conflict:
            pass  # two requests at once: the other one has made it; or a user of ours is called so, and is not linked
        except NotFound:
            return None
        made = await self._store.find_linked(link)
        return await self._store.find_standing(made.id, account) if made else None

    async def _make(self, link: Link, account: str) -> None:
        """Called as the issuer calls it. Conflict if somebody is, or whoever must never be made by an issuer."""
        handle = _handle(link)
        if self._admins.is_protected("", handle):
            raise Conflict(f"no issuer makes '{handle}'")
        new = NewUser(self._new_id(), handle, self._clock.now(), link=link)
        await self._store.insert_user(new, NewMember(account, new.id, "member", code=False))

    def _account(self, proven: Proven) -> str:
        issuer = proven.issuer
        if issuer.account_claim is None:
            return issuer.account or self._home_account
        named = claim(proven.claims, issuer.account_claim)
        if not isinstance(named, str) or not named:
            raise Unauthenticated(f"the bearer does not say which account: '{issuer.account_claim}' is no text")
        return issuer.accounts.get(named, named)


def _subject(proven: Proven) -> str:
    named = claim(proven.claims, proven.issuer.user_claim)
    if not isinstance(named, str) or not 1 <= len(named) <= LONGEST_SUBJECT:
        raise Unauthenticated(f"the bearer names no user: '{proven.issuer.user_claim}' is none that can be one")
    return named


def _handle(link: Link) -> str:
    try:
        return check_handle(link.subject)
    except InvalidInput:
        raise Unauthenticated("the bearer's user is not known, and what it is called is no name for a user") from None


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
