"""Who asks."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from agent.core.identity.records import Link, NewMember, NewUser, SessionRecord, Standing, TokenRecord, UserRecord
from agent.core.ports.limits import LimitStore
from shared.models import Account, TokenInfo, User


class IdentityStore(LimitStore, Protocol):
    """Accounts, users, memberships; tokens and sessions by the hash of what is shown."""

    async def ensure_account(self, account_id: str, owner_id: str, handle: str, now: datetime) -> None:
        """Make what of the account, its administrator and the membership is not there yet."""

    async def insert_account(self, account_id: str, owner_id: str, now: datetime) -> Account:
        """With its first administrator. Conflict."""

    async def get_account(self, account_id: str) -> Account: ...

    async def list_accounts(self) -> list[Account]: ...

    async def disable_account(self, account_id: str, at: datetime | None, now: datetime) -> Account:
        """`at` None: enable. Sessions there end."""

    async def find_owner(self, account_id: str) -> tuple[str, str]:
        """(user id, handle) of the account's first user. NotFound."""

    async def insert_user(self, new: NewUser, member: NewMember) -> User:
        """Conflict if somebody has the handle or the link, NotFound if there is no such account."""

    async def get_user(self, key: str, account_id: str | None) -> User:
        """By id or handle; of one account with the membership there, or (None) of any with all."""

    async def list_users(self, account_id: str | None) -> list[User]: ...

    async def find_user(self, key: str) -> UserRecord | None: ...

    async def find_linked(self, link: Link) -> UserRecord | None: ...

    async def link_user(self, user_id: str, link: Link | None, now: datetime) -> None:
        """None: whoever was the user by a bearer is so no more. Conflict if the link is another's."""

    async def disable_user(self, user_id: str, at: datetime | None, now: datetime) -> None:
        """Everywhere; `at` None: enable. The user's sessions end."""

    async def put_password(self, user_id: str, hashed: str, keep: str | None, now: datetime) -> None:
        """The user's sessions end, all but `keep`."""

    async def note_login(self, user_id: str, now: datetime, rehashed: tuple[str, str] | None) -> None:
        """`rehashed`: the hash that was checked, and the one to keep instead."""

    async def find_standing(self, user_id: str, account_id: str) -> Standing | None: ...

    async def list_standings(self, user_id: str) -> list[Standing]:
        """Oldest membership first."""

    async def put_member(self, member: NewMember, now: datetime) -> None: ...

    async def disable_member(self, account_id: str, user_id: str, at: datetime | None, now: datetime) -> None:
        """In this account only; `at` None: enable. The user's sessions there end."""

    async def insert_token(self, token: TokenRecord) -> None:
        """LimitReached where the account has as many as it may."""

    async def find_token(self, token_hash: str) -> tuple[TokenRecord, Standing] | None:
        """Valid or not; None where there is none, or its user is no member any more."""

    async def touch_tokens(self, used: dict[str, datetime]) -> None: ...

    async def list_tokens(self, account_id: str, user_id: str | None = None) -> list[TokenInfo]: ...

    async def revoke_token(self, account_id: str, key: str, now: datetime, user_id: str | None = None) -> str: ...

    async def insert_session(self, session: SessionRecord, *, idle_since: datetime) -> None:
        """Those that are over, or were used last before `idle_since`, go."""

    async def find_session(self, session_hash: str) -> tuple[SessionRecord, Standing] | None: ...

    async def touch_session(self, session_id: str, now: datetime) -> None: ...

    async def delete_session(self, session_id: str) -> None: ...

    async def session_key(self, fresh: str) -> str:
        """What session cookies are signed with: the same for every agent of the store; `fresh` if there is none yet."""
