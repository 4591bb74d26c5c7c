"""Who asks."""

from __future__ import annotations

from datetime import datetime

from agent.core.identity.records import Link, NewMember, NewUser, SessionRecord, Standing, TokenRecord, UserRecord
from agent.store import facts
from agent.store.engine.readers import Readers
from agent.store.engine.writer import Writer
from agent.store.identity import accounts, credentials, members, users
from agent.store.identity.known import Known
from agent.store.verbs.base import Verbs
from shared.clock import Clock
from shared.models import Account, TokenInfo, User


class IdentityVerbs(Verbs):
    def __init__(self, writer: Writer, readers: Readers, clock: Clock) -> None:
        super().__init__(writer, readers, clock)
        self._tokens = Known[tuple[TokenRecord, Standing]]("token.changed", "user.changed", "account.changed")
        writer.subscribe(self._tokens.hear)

    async def ensure_account(self, account_id: str, owner_id: str, handle: str, now: datetime) -> None:
        await self._write(accounts.ensure_account, account_id, owner_id, handle, now)

    async def insert_account(self, account_id: str, owner_id: str, now: datetime) -> Account:
        return await self._write(accounts.insert_account, account_id, owner_id, now)

    async def get_account(self, account_id: str) -> Account:
        return await self._read(accounts.get_account, account_id)

    async def list_accounts(self) -> list[Account]:
        return await self._read(accounts.list_accounts)

    async def disable_account(self, account_id: str, at: datetime | None, now: datetime) -> Account:
        return await self._write(accounts.disable_account, account_id, at, now)

    async def find_owner(self, account_id: str) -> tuple[str, str]:
        return await self._read(accounts.find_owner, account_id)

    async def insert_user(self, new: NewUser, member: NewMember) -> User:
        return await self._write(users.insert_user, new, member)

    async def get_user(self, key: str, account_id: str | None) -> User:
        return await self._read(users.get_user, key, account_id)

    async def list_users(self, account_id: str | None) -> list[User]:
        return await self._read(users.list_users, account_id)

    async def find_user(self, key: str) -> UserRecord | None:
        return await self._read(users.find_user, key)

    async def find_linked(self, link: Link) -> UserRecord | None:
        return await self._read(users.find_linked, link)

    async def link_user(self, user_id: str, link: Link | None, now: datetime) -> None:
        await self._write(users.link_user, user_id, link, now)

    async def disable_user(self, user_id: str, at: datetime | None, now: datetime) -> None:
        await self._write(users.disable_user, user_id, at, now)

    async def put_password(self, user_id: str, hashed: str, keep: str | None, now: datetime) -> None:
        await self._write(users.put_password, user_id, hashed, keep, now)

    async def note_login(self, user_id: str, now: datetime, rehashed: tuple[str, str] | None) -> None:
        await self._write(users.note_login, user_id, now, rehashed)

    async def find_standing(self, user_id: str, account_id: str) -> Standing | None:
        return await self._read(members.find_standing, user_id, account_id)

    async def list_standings(self, user_id: str) -> list[Standing]:
        return await self._read(members.list_standings, user_id)

    async def put_member(self, member: NewMember, now: datetime) -> None:
        await self._write(members.put_member, member, now)

    async def disable_member(self, account_id: str, user_id: str, at: datetime | None, now: datetime) -> None:
        await self._write(members.disable_member, account_id, user_id, at, now)

    async def insert_token(self, token: TokenRecord) -> None:
        await self._write(credentials.insert_token, token)

    async def find_token(self, token_hash: str) -> tuple[TokenRecord, Standing] | None:
        """Remembered: every request asks."""
        return await self._tokens.ask(token_hash, lambda: self._read(credentials.find_token, token_hash))

    async def touch_tokens(self, used: dict[str, datetime]) -> None:
        await self._write(credentials.touch_tokens, used)

    async def list_tokens(self, account_id: str, user_id: str | None = None) -> list[TokenInfo]:
        return await self._read(credentials.list_tokens, account_id, user_id)

    async def revoke_token(self, account_id: str, key: str, now: datetime, user_id: str | None = None) -> str:
        return await self._write(credentials.revoke_token, account_id, key, now, user_id)

    async def insert_session(self, session: SessionRecord, *, idle_since: datetime) -> None:
        await self._write(credentials.insert_session, session, idle_since)

    async def find_session(self, session_hash: str) -> tuple[SessionRecord, Standing] | None:
        return await self._read(credentials.find_session, session_hash)

    async def touch_session(self, session_id: str, now: datetime) -> None:
        await self._write(credentials.touch_session, session_id, now)

    async def delete_session(self, session_id: str) -> None:
        await self._write(credentials.delete_session, session_id)

    async def session_key(self, fresh: str) -> str:
        return await self._write(facts.put_once, "session_key", fresh)
