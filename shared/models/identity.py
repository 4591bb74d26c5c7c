"""Who may call: accounts, users, tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.models.base import Input, Instant, Resource
from shared.models.job import Name

Role = Literal["member", "admin"]


class Account(Resource):
    """What owns jobs and what they work with; invisible from others. `number` is its integer id."""

    id: str
    number: int
    created_at: Instant
    disabled_at: Instant | None = None
    users: int = 0


class AccountInput(Input):
    id: str


class Membership(Resource):
    """A user in an account: what the role allows, and `code` where it was given."""

    account_id: str
    role: Role
    scopes: list[str]
    disabled_at: Instant | None = None


class User(Resource):
    """`memberships` are those that the caller may see. Bearers of `issuer` that name `subject` are this user."""

    id: str
    handle: str
    created_at: Instant
    disabled_at: Instant | None = None
    has_password: bool = False
    issuer: str | None = None
    subject: str | None = None
    last_login_at: Instant | None = None
    memberships: list[Membership] = []


LONGEST_SUBJECT = 500
Subject = Annotated[str, Field(min_length=1, max_length=LONGEST_SUBJECT)]


class LinkInput(Input):
    """Bearers of `issuer`, one of the settings', that name `subject` (letter for letter; None: the user's handle) are
    the user."""

    issuer: str
    subject: Subject | None = None


class UserInput(Input):
    """`account`: another one than the caller's; with it, and with a `link`, for the agent's administrators only."""

    handle: str
    password: Annotated[str, Field(max_length=2000)] | None = None
    role: Role = "member"
    code: bool = False
    account: str | None = None
    link: LinkInput | None = None


class MembershipInput(Input):
    role: Role = "member"
    code: bool = False
    account: str | None = None


class TokenInfo(Resource):
    """A token without its text. `scopes` are the most that it can do: less, where its user may do less by now."""

    id: str
    name: str
    account_id: str
    user_id: str
    handle: str = ""
    scopes: list[str]
    created_at: Instant
    expires_at: Instant | None = None
    last_used_at: Instant | None = None
    revoked_at: Instant | None = None


class TokenInput(Input):
    """`user`: for another than the caller; `account`: another than the caller's, for the agent's administrators only.
    `expires`: a span (`30 days`) or a moment (`2026-12-31T00:00:00Z`); without it the token does not expire."""

    name: Name
    scopes: list[str]
    account: str | None = None
    user: str | None = None
    expires: str | None = None


class NewToken(Resource):
    """`token` is shown this once."""

    token: str
    info: TokenInfo


class LoginInput(Input):
    """`account` is needed by users of several."""

    username: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=2000)]
    account: str | None = None


class Me(Resource):
    """Who is asking. `via`: `socket`, `token`, `session`, `oauth` or `anonymous`; `expires_at`: of that credential."""

    account_id: str
    user_id: str
    handle: str = ""
    scopes: list[str] = []
    via: str = ""
    token_id: str | None = None
    expires_at: Instant | None = None
