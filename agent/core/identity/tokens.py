"""Tokens: 256 random bits, kept as SHA-256. Nothing that can be guessed needs no slow hash."""

from __future__ import annotations

import builtins
import hashlib
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.core.identity.people import Administration
from agent.core.identity.records import Standing, TokenRecord
from agent.core.identity.scopes import parse_scopes, require_held
from agent.core.permissions.audit import AUTHENTICATE, now_acts
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports.identity import IdentityStore
from shared.clock import Clock
from shared.durations import parse_duration
from shared.errors import CredentialsExpired, Forbidden, InvalidInput, NotFound, Unauthenticated, Unavailable
from shared.ids import NewId
from shared.models import NewToken, TokenInfo, TokenInput

PREFIX = "jd_"
_LONGEST = 200
_TOUCH_EVERY = timedelta(minutes=1)
_MOST_TOUCHED = 10_000


class Tokens:
    def __init__(self, store: IdentityStore, clock: Clock, new_id: NewId, admins: Administration) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._admins = admins
        self._touched: dict[str, datetime] = {}

    async def caller(self, text: str, *, is_use: bool = True) -> Caller:
        """Unauthenticated in the same words for every token that opens nothing; CredentialsExpired if it once did."""
        found = await self._store.find_token(digest(text)) if len(text) <= _LONGEST else None
        if found is None or found[0].revoked_at or found[1].disabled:
            _recognise(found)
            raise Unauthenticated("the token is not valid: unknown, revoked, or its user may not call any more")
        token, standing = found
        now = self._clock.now()
        if token.expires_at is not None and token.expires_at <= now:
            _recognise(found)
            raise CredentialsExpired(f"the token has expired at {_zulu(token.expires_at)}")
        if is_use:
            await self._note_use(token.id, now)
        scopes = token.scopes & standing.scopes
        return Caller(
            token.account_id, token.user_id, standing.handle, scopes, "token", token.id, expires_at=token.expires_at
        )

    async def create(self, caller: Caller, given: TokenInput) -> NewToken:
        """For oneself with scopes that one has; for others by who administers, with scopes that both have."""
        if caller.via == "anonymous":
            raise Forbidden("who is nobody has no tokens")
        scopes = parse_scopes(given.scopes)
        standing = await self._owner(caller, given)
        if (standing.account_id, standing.user_id) != (caller.account_id, caller.user_id):
            caller.require(Scope.ADMIN)
        require_held(scopes, caller.scopes, "the caller")
        require_held(scopes, standing.scopes, f"'{standing.handle}'")
        now = self._clock.now()
        text = PREFIX + secrets.token_urlsafe(32)
        record = TokenRecord(
            id=self._new_id(),
            account_id=standing.account_id,
            user_id=standing.user_id,
            name=given.name,
            hash=digest(text),
            scopes=scopes,
            created_at=now,
            expires_at=_outlived_by(caller, parse_expiry(given.expires, now)),
        )
        await self._store.insert_token(record)
        return NewToken(token=text, info=_info(record, standing.handle))

    async def list(self, caller: Caller) -> builtins.list[TokenInfo]:
        """One's own; for who has `admin`, those of the account."""
        return await self._store.list_tokens(caller.account_id, self._theirs(caller))

    async def revoke(self, caller: Caller, key: str) -> None:
        """By id or name. NotFound for what one cannot list; Conflict where several have the name."""
        token_id = await self._store.revoke_token(caller.account_id, key, self._clock.now(), self._theirs(caller))
        self._touched.pop(token_id, None)

    def _theirs(self, caller: Caller) -> str | None:
        return None if caller.is_admin else caller.user_id

    async def _owner(self, caller: Caller, given: TokenInput) -> Standing:
        """Whom the token is for: the user that is named, else oneself, else the first of the other account. An account
        that the agent's own user names, and that is not there, is made."""
        account = self._admins.account_for(caller, given.account)
        if given.user is not None:
            user = await self._store.find_user(given.user)
            standing = await self._store.find_standing(user.id, account) if user else None
            if standing is None or standing.disabled:
                raise NotFound(f"the account '{account}' has no user '{given.user}' that may call")
            self._require_may_act_as(caller, standing)
            return standing
        if account == caller.account_id:
            mine = await self._store.find_standing(caller.user_id, account)
            return mine or Standing(account, caller.user_id, caller.handle, "member", code=False, disabled=True)
        return await self._first_of(account, caller)

    def _require_may_act_as(self, caller: Caller, user: Standing) -> None:
        """Who has a token of an administrator of the agent administers the agent: no account's administrator makes one."""
        is_other = user.user_id != caller.user_id and self._admins.is_protected(user.user_id, user.handle)
        if is_other and not self._admins.is_of_agent(caller):
            raise Forbidden(f"'{user.handle}' administers the agent: only the agent's administrators make its tokens")

    async def _first_of(self, account: str, caller: Caller) -> Standing:
        try:
            user_id, handle = await self._store.find_owner(account)
        except NotFound:
            if caller.via != "socket":
                raise
            user_id, handle = caller.user_id, caller.handle
            await self._store.ensure_account(account, user_id, handle, self._clock.now())
        standing = await self._store.find_standing(user_id, account)
        assert standing is not None
        return replace(standing, handle=handle)

    async def _note_use(self, token_id: str, now: datetime) -> None:
        last = self._touched.get(token_id)
        if last is None or now - last >= _TOUCH_EVERY:
            if len(self._touched) >= _MOST_TOUCHED:
                self._touched.clear()
            self._touched[token_id] = now
            with suppress(Unavailable):  # a full disk must not shut out who comes to mend it
                await self._store.touch_tokens({token_id: now})


def _recognise(found: tuple[TokenRecord, Standing] | None) -> None:
    """A token that opens nothing any more is refused; the record says whose it was."""
    if found is not None:
        token, standing = found
        caller = Caller(token.account_id, token.user_id, standing.handle, frozenset(), "token", token.id)
        now_acts(caller, AUTHENTICATE)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def parse_expiry(text: str | None, now: datetime) -> datetime | None:
    """A span from now on, or a moment ahead; a moment without a zone is UTC."""
    if text is None:
        return None
    try:
        expires = now + parse_duration(text)
    except ValueError:
        expires = _moment(text)
    if expires <= now:
        raise InvalidInput.one("expires", "must lie ahead", text)
    return expires


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        wanted = "a span, as in '30 days', or a moment, as in '2026-12-31T00:00:00Z'"
        raise InvalidInput.one("expires", f"write {wanted}", text) from None


def _outlived_by(caller: Caller, expires: datetime | None) -> datetime | None:
    """What a token or an issuer's bearer makes does not outlive it: else whoever had it for a day had it for ever. A
    session is a password's, and who knows that comes again."""
    if caller.via not in {"token", "oauth"} or caller.expires_at is None:
        return expires
    if expires is not None and expires > caller.expires_at:
        what = "token" if caller.via == "token" else "bearer"
        raise InvalidInput.one(
            "expires", f"must not be after {_zulu(caller.expires_at)}, when the caller's {what} ends"
        )
    return expires or caller.expires_at


def _info(record: TokenRecord, handle: str) -> TokenInfo:
    return TokenInfo(
        id=record.id,
        name=record.name,
        account_id=record.account_id,
        user_id=record.user_id,
        handle=handle,
        scopes=sorted(map(str, record.scopes)),
        created_at=record.created_at,
        expires_at=record.expires_at,
    )


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
