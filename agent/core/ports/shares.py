"""Who else may do what with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agent.core.permissions.rules import ResourceKind, Standing
from agent.core.records import NewShare
from shared.models.share import AccessLevel, Share, Visibility


class ShareStore(Protocol):
    async def standing(self, account_id: str, kind: ResourceKind, subject_id: str, user_id: str) -> Standing | None:
        """How it stands to the user; of a deleted job too. None: there is none in the account. Secrets go by name."""

    async def standings(
        self, account_id: str, kind: ResourceKind, owners: Mapping[str, str], user_id: str
    ) -> dict[str, Standing]:
        """Of many private ones, whose owners are given by id."""

    async def shares_of(
        self, account_id: str, kind: ResourceKind, subject_ids: Sequence[str]
    ) -> dict[str, list[Share]]:
        """By the id of what is shared; what is not is left out."""

    async def put_share(self, new: NewShare, now: datetime) -> tuple[Share, bool]:
        """The share, and whether it is new. NotFound; InvalidInput(`principalId`) for nobody of the account."""

    async def remove_share(
        self, account_id: str, kind: ResourceKind, subject_id: str, principal: str, now: datetime
    ) -> None:
        """NotFound."""

    async def set_visibility(
        self,
        account_id: str,
        kind: ResourceKind,
        subject_id: str,
        visibility: Visibility,
        owner_id: str | None,
        now: datetime,
    ) -> None:
        """`owner_id` owns it from now on if nobody did. NotFound."""

    async def set_owner(self, account_id: str, kind: ResourceKind, subject_id: str, owner: str, now: datetime) -> None:
        """`owner`: a user's id or handle. NotFound; InvalidInput(`ownerId`) for nobody of the account."""

    async def seen_jobs(self, account_id: str, user_id: str, least: AccessLevel = "reader") -> set[str]:
        """Ids of all jobs that the user may see, or more (`least`), deleted ones too."""

    async def seen_runs(self, account_id: str, run_ids: Sequence[str], seen_by: str | None) -> set[str]:
        """Those of the runs that are the account's, and that this user may see (None: all of the account)."""

    async def seen_active_runs(self, account_id: str, user_id: str) -> set[str]:
        """Ids of the runs that are not over, of jobs that the user may see."""

    async def hidden_resources(self, account_id: str, user_id: str) -> set[str]:
        """Ids of connections, knowledge bases and datasets, and names of secrets, that are private to others."""
