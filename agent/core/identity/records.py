"""What the store keeps of who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.core.identity.scopes import scopes_of
from agent.core.permissions.callers import Scope

Role = Literal["member", "admin"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A user in an account, as it is now."""

    account_id: str
    user_id: str
    handle: str
    role: Role
    code: bool
    disabled: bool
    """The account is, or the user, or the membership."""

    @property
    def scopes(self) -> frozenset[Scope]:
        return frozenset() if self.disabled else scopes_of(self.role, code=self.code)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    id: str
    account_id: str
    user_id: str
    name: str
    hash: str
    """SHA-256 of the token, hexadecimal."""
    scopes: frozenset[Scope]
    """At most: at each use they are cut to what its user has then."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    id: str
    hash: str
    """SHA-256 of what the cookie carries, hexadecimal."""
    account_id: str
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    """The absolute end, however much it is used."""
    address: str | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class UserRecord:
    """What a login needs to know of a user."""

    id: str
    handle: str
    password_hash: str | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class Link:
    """Whom an issuer means by a subject, letter for letter."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class NewUser:
    id: str
    handle: str
    created_at: datetime
    password_hash: str | None = None
    link: Link | None = None
    """Whose bearers may be the user; None: nobody's."""


@dataclass(frozen=True, slots=True)
class NewMember:
    account_id: str
    user_id: str
    role: Role
    code: bool
