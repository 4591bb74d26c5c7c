"""Who is calling, and what that allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import Forbidden


class Scope(StrEnum):
    READ = "read"
    EDIT = "edit"
    RUN = "run"
    DELETE = "delete"
    ADMIN = "admin"
    CODE = "code"


EVERY_SCOPE = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated request's identity. `via` is `token`, `session`, `oauth`, `socket` or `anonymous`."""

    account_id: str
    user_id: str
    handle: str
    scopes: frozenset[Scope]
    via: str
    token_id: str | None = None
    address: str | None = None
    """Where the request came from; None over the socket."""
    client: str | None = None
    """What the caller's program calls itself (User-Agent), shortened."""
    session_id: str | None = None
    expires_at: datetime | None = None
    """When what it called with ends."""

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes

    def require(self, *scopes: Scope) -> None:
        """Raise Forbidden naming the first scope that is missing."""
        for scope in scopes:
            if scope not in self.scopes:
                raise Forbidden(f"this needs the scope '{scope}', which the caller does not have")
