"""Whether what a job names may be used: by the user that a run acts as, and by the one who names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.core.permissions.callers import Scope
from agent.core.permissions.rules import RULES, WORDS, Act, Hidden, ResourceKind, reaches
from agent.core.ports import Store
from shared.errors import Forbidden
from shared.models.share import AccessLevel, Visibility


@dataclass(frozen=True, slots=True)
class Users:
    """Who must be allowed to use what is named: the user that a run acts as, and the one that names it in a change. None:
    nobody in particular, or who administers the account."""

    owner_id: str | None = None
    asker_id: str | None = None
    owner: str = "the job's owner"
    """Who that is, in words."""


class Owned(Protocol):
    """What has an owner and may be shared."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def account_id(self) -> str: ...

    @property
    def visibility(self) -> Visibility: ...


class Using:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def require(self, found: Owned, kind: ResourceKind, users: Users, act: Act = Act.USE) -> None:
        """Hidden for an asker who may not see it, Forbidden for one who may not do that, or for the owner."""
        if found.visibility == "account" and act is Act.USE:
            return
        what = f"{WORDS[kind]} '{found.name}'"
        level = await self._level(found, kind, users.asker_id)  # by shares: the scope `admin` is no asker at all
        if users.asker_id is not None and level is None:
            raise Hidden(f"there is no {what}")
        needed = RULES[act].level
        if users.asker_id is not None and not reaches(level, act):
            raise Forbidden(f"to {_DOING[act]} the {what} it must be shared with you as {needed}")
        owner_id = users.owner_id
        if owner_id is None or reaches(await self._level(found, kind, owner_id), act):
            return
        if not await self.administers(found.account_id, owner_id):
            why = "is private" if act is Act.USE else "is to be changed"
            raise Forbidden(f"the {what} {why}: share it with {users.owner} as {needed}")

    async def administers(self, account_id: str, user_id: str) -> bool:
        """Who does may use all of the account, and so does a run on that user's behalf."""
        member = await self._store.find_standing(user_id, account_id)
        return member is not None and Scope.ADMIN in member.scopes

    async def sees_all(self, account_id: str, users: Users) -> bool:
        """Whether nothing of the account is hidden from whom a refusal is told."""
        if users.asker_id is not None:
            return False
        return users.owner_id is None or await self.administers(account_id, users.owner_id)

    async def _level(self, found: Owned, kind: ResourceKind, user_id: str | None) -> AccessLevel | None:
        if user_id is None:
            return None
        standing = await self._store.standing(found.account_id, kind, found.id, user_id)
        return standing.level_of(user_id) if standing is not None else None


_DOING = {Act.USE: "use", Act.EDIT: "change"}
