"""Who is calling: from a token, from the local socket, or from nobody where that is allowed."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from agent.core.callers import EVERY_SCOPE, Caller, Scope
from agent.core.ports import WorldStore
from agent.core.records import TokenRecord
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound, Unauthenticated, Unavailable
from shared.ids import NewId
from shared.models import TokenInfo

_PREFIX = "jd_"
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TOUCH_EVERY = timedelta(minutes=1)


class Gate:
    """Tokens are 256 random bits, stored as SHA-256: nothing that can be guessed needs a slow hash."""

    def __init__(
        self, store: WorldStore, clock: Clock, new_id: NewId, local: Caller, anonymous_account: str | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._local = local
        self._anonymous_account = anonymous_account
        self._known: dict[str, TokenRecord] = {}
        self._used: dict[str, datetime] = {}
        self._revocations = 0

    async def by_token(self, token: str) -> Caller:
        """Raise Unauthenticated for an unknown, expired or revoked token, in the same words."""
        digest = _hash(token)
        record = self._known.get(digest) or await self._looked_up(digest)
        now = self._clock.now()
        if record is None or record.revoked_at or (record.expires_at and record.expires_at <= now):
            self._known.pop(digest, None)
            raise Unauthenticated("the token is not valid: unknown, expired or revoked")
        await self._note_use(record.id, now)
        return Caller(record.account_id, record.user_id, record.handle, record.scopes, "token", record.id)

    def local(self) -> Caller:
        """Whoever can open the agent's socket acts as the agent's own user, with all scopes."""
        return self._local

    def anonymous(self) -> Caller | None:
        """The caller that requests without credentials may be, where a contract allows it."""
        if self._anonymous_account is None:
            return None
        scopes = frozenset({Scope.READ, Scope.EDIT, Scope.RUN})
        return Caller(self._anonymous_account, self._local.user_id, "anonymous", scopes, "anonymous")

    async def create(
        self, caller: Caller, name: str, scopes: Sequence[str], account_id: str | None = None
    ) -> tuple[str, TokenInfo]:
        """The token's text, shown only now, and what is stored of it."""
        caller.require(Scope.ADMIN)
        granted = _parse_scopes(scopes)
        if Scope.CODE in granted:
            caller.require(Scope.CODE)
        user_id, handle = await self._owner(caller, account_id or caller.account_id)
        text = _PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        record = TokenRecord(
            self._new_id(), account_id or caller.account_id, user_id, handle, name, _hash(text), granted, now
        )
        await self._store.insert_token(record)
        info = TokenInfo(
            id=record.id,
            name=name,
            account_id=record.account_id,
            user_id=user_id,
            scopes=sorted(granted),
            created_at=now,
        )
        return text, info

    async def list(self, caller: Caller) -> list[TokenInfo]:
        caller.require(Scope.ADMIN)
        return await self._store.list_tokens(caller.account_id)

    async def revoke(self, caller: Caller, token_id: str) -> None:
        caller.require(Scope.ADMIN)
        await self._store.revoke_token(caller.account_id, token_id, self._clock.now())
        self._revocations += 1
        self._used.pop(token_id, None)
        self._known = {digest: record for digest, record in self._known.items() if record.id != token_id}

    async def _looked_up(self, digest: str) -> TokenRecord | None:
        """Remembered, if it is valid and no token was revoked while the store was read."""
        before = self._revocations
        record = await self._store.find_token(digest)
        if record is not None and record.revoked_at is None and before == self._revocations:
            self._known[digest] = record
        return record

    async def _owner(self, caller: Caller, account: str) -> tuple[str, str]:
        """The account's first user. The agent's own user names an account and has it: that is how accounts are made."""
        if account == caller.account_id:
            return await self._store.find_owner(account)
        if caller.via != "socket":
            raise NotFound(f"there is no account '{account}'")
        if not _ACCOUNT.fullmatch(account):
            raise InvalidInput.one("account", "letters, digits, '_', '-' and '.', at most 100", account)
        try:
            return await self._store.find_owner(account)
        except NotFound:
            await self._store.ensure_account(account, self._new_id(), self._local.handle, self._clock.now())
            return await self._store.find_owner(account)

    async def _note_use(self, token_id: str, now: datetime) -> None:
        last = self._used.get(token_id)
        if last is None or now - last >= _TOUCH_EVERY:
            self._used[token_id] = now
            with suppress(Unavailable):  # a full disk must not shut out who comes to mend it
                await self._store.touch_tokens({token_id: now})


def local_caller(account_id: str, user_id: str, handle: str) -> Caller:
    return Caller(account_id, user_id, handle, EVERY_SCOPE, "socket")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _parse_scopes(scopes: Sequence[str]) -> frozenset[Scope]:
    known = {scope.value for scope in Scope}
    for scope in scopes:
        if scope not in known:
            raise InvalidInput.one("scopes", f"'{scope}' is none; there are {', '.join(sorted(known))}", scope)
    if not scopes:
        raise InvalidInput.one("scopes", f"name at least one of {', '.join(sorted(known))}")
    return frozenset(Scope(scope) for scope in scopes)
