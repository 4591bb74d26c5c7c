"""Sessions: a login by name and password, kept in the store, so that whatever ends it ends it at once."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.core.identity.passwords import Passwords, check_password
from agent.core.identity.records import SessionRecord, Standing, UserRecord
from agent.core.identity.throttle import LoginThrottle
from agent.core.identity.tokens import digest
from agent.core.permissions.audit import LOG_IN, NOBODY, acts, now_acts
from agent.core.permissions.callers import Caller
from agent.core.ports.identity import IdentityStore
from agent.settings import Settings
from shared.clock import Clock
from shared.errors import Forbidden, InvalidInput, Unauthenticated, Unavailable
from shared.ids import NewId
from shared.models import LoginInput

if TYPE_CHECKING:
    from itsdangerous import Signer

_WRONG = "the user name or the password is not right, or the user may not log in here"
_OVER = "the session is over: log in again"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Login:
    """`cookie` is what the session is shown by, said this once."""

    caller: Caller
    cookie: str
    lasts: timedelta


class Sessions:
    def __init__(
        self, store: IdentityStore, clock: Clock, new_id: NewId, passwords: Passwords, settings: Settings
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._passwords = passwords
        self._account = settings.account
        self._idle, self._longest = settings.session_idle, settings.session_lifetime
        self._throttle = LoginThrottle(clock)
        self._signer: Signer | None = None

    async def log_in(self, given: LoginInput, address: str | None, client: str | None) -> Login:
        """Unauthenticated in the same words, after the same work, whatever is wrong; TooMany before any."""
        try:
            user = await self._proven(given.username, given.password, address)
            standing = await self._standing(user, given.account)
        except Unauthenticated:
            await self._recognise(given.username)
            raise
        now = self._clock.now()
        text = secrets.token_urlsafe(32)
        session = SessionRecord(
            id=self._new_id(),
            hash=digest(text),
            account_id=standing.account_id,
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + self._longest,
            address=address,
            client=client,
        )
        caller = replace(_caller(session, standing), address=address, client=client)
        with acts(caller, LOG_IN):
            await self._store.insert_session(session, idle_since=now - self._idle)
        cookie = (await self._signing()).sign(text).decode()
        return Login(_caller(session, standing), cookie, self._longest)

    async def caller(self, cookie: str, *, is_use: bool = True) -> Caller:
        """Who logged in; every use moves the idle end on. Unauthenticated."""
        session, standing = await self._found(cookie)
        now = self._clock.now()
        if standing.disabled or min(session.expires_at, session.seen_at + self._idle) <= now:
            if is_use:
                await self._end(session.id)
            raise Unauthenticated(_OVER)
        if is_use and now - session.seen_at >= min(self._idle / 10, timedelta(minutes=1)):
            with suppress(Unavailable):
                await self._store.touch_session(session.id, now)
        return _caller(session, standing)

    async def log_out(self, cookie: str) -> None:
        """A second time changes nothing."""
        with suppress(Unauthenticated):
            session, _ = await self._found(cookie)
            await self._store.delete_session(session.id)

    async def change_password(self, caller: Caller, current: str, new: str) -> None:
        """One's own, by who knows the present one. One's other sessions end."""
        if caller.via not in {"session", "token"}:
            raise Forbidden("a password is changed by who has logged in with it")
        await self._proven(caller.handle, current, caller.address)
        hashed = await self._passwords.hash(check_password(new, caller.handle))
        await self._store.put_password(caller.user_id, hashed, caller.session_id, self._clock.now())

    async def _proven(self, handle: str, password: str, address: str | None) -> UserRecord:
        self._throttle.take(handle, address)
        user = await self._store.find_user(handle)
        known = user.password_hash if user is not None and user.handle.lower() == handle.lower() else None
        right = await self._passwords.matches(known, password)
        if user is None or known is None or user.disabled or not right:
            raise Unauthenticated(_WRONG)
        self._throttle.was_right(handle, address)
        rehashed = (known, await self._passwords.hash(password)) if self._passwords.is_outdated(known) else None
        await self._store.note_login(user.id, self._clock.now(), rehashed)
        return user

    async def _recognise(self, handle: str) -> None:
        """The record says whose login was refused; the store is asked the same if there is nobody of that name. What was
        written in the place of a name is not kept: it may have been a password."""
        user = await self._store.find_user(handle)
        standings = await self._store.list_standings(user.id if user else "")
        who = (standings[0].account_id, standings[0].user_id, standings[0].handle) if standings else None
        now_acts(Caller(*(who or (self._account, "", NOBODY)), frozenset(), "session"), LOG_IN)

    async def _standing(self, user: UserRecord, account: str | None) -> Standing:
        open_to = [standing for standing in await self._store.list_standings(user.id) if not standing.disabled]
        chosen = [standing for standing in open_to if account in {None, standing.account_id}]
        if len(chosen) == 1:
            return chosen[0]
        if not chosen:
            raise Unauthenticated(_WRONG)
        names = ", ".join(standing.account_id for standing in chosen)
        raise InvalidInput.one("account", f"say which one: {names}", account)

    async def _found(self, cookie: str) -> tuple[SessionRecord, Standing]:
        from itsdangerous import BadSignature

        try:
            text = (await self._signing()).unsign(cookie[:_LONGEST]).decode()
        except (BadSignature, UnicodeError):
            raise Unauthenticated(_OVER) from None
        found = await self._store.find_session(digest(text))
        if found is None:
            raise Unauthenticated(_OVER)
        return found

    async def _end(self, session_id: str) -> None:
        with suppress(Unavailable):
            await self._store.delete_session(session_id)

    async def _signing(self) -> Signer:
        """A cookie that this store did not sign is refused without a look into it."""
        if self._signer is None:
            from itsdangerous import Signer

            key = await self._store.session_key(secrets.token_urlsafe(32))
            self._signer = Signer(key, b"jobdeck.session", key_derivation="hmac", digest_method=hashlib.sha256)
        return self._signer


def _caller(session: SessionRecord, standing: Standing) -> Caller:
    return Caller(
        session.account_id,
        session.user_id,
        standing.handle,
        standing.scopes,
        "session",
        session_id=session.id,
        expires_at=session.expires_at,
    )
