"""Who else may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.core.permissions.rules import ResourceKind, Standing
from agent.core.records import NewShare
from agent.store.permissions import shares
from agent.store.verbs.base import Verbs
from shared.models.share import AccessLevel, Share, Visibility


class ShareVerbs(Verbs):
    async def standing(self, account_id: str, kind: ResourceKind, subject_id: str, user_id: str) -> Standing | None:
        return await self._read(shares.standing, account_id, kind, subject_id, user_id)

    async def standings(
        self, account_id: str, kind: ResourceKind, owners: Mapping[str, str], user_id: str
    ) -> dict[str, Standing]:
        return await self._read(shares.standings, account_id, kind, owners, user_id)

    async def shares_of(
        self, account_id: str, kind: ResourceKind, subject_ids: Sequence[str]
    ) -> dict[str, list[Share]]:
        return await self._read(shares.list_of, account_id, kind, subject_ids)

    async def put_share(self, new: NewShare, now: datetime) -> tuple[Share, bool]:
        return await self._write(shares.put, new, now)

    async def remove_share(
        self, account_id: str, kind: ResourceKind, subject_id: str, principal: str, now: datetime
    ) -> None:
        await self._write(shares.remove, account_id, kind, subject_id, principal, now)

    async def set_visibility(
        self,
        account_id: str,
        kind: ResourceKind,
        subject_id: str,
        visibility: Visibility,
        owner_id: str | None,
        now: datetime,
    ) -> None:
        await self._write(shares.set_visibility, account_id, kind, subject_id, visibility, owner_id, now)

    async def set_owner(self, account_id: str, kind: ResourceKind, subject_id: str, owner: str, now: datetime) -> None:
        await self._write(shares.set_owner, account_id, kind, subject_id, owner, now)

    async def seen_jobs(self, account_id: str, user_id: str, least: AccessLevel = "reader") -> set[str]:
        return await self._read(shares.seen_jobs, account_id, user_id, least)

    async def seen_runs(self, account_id: str, run_ids: Sequence[str], seen_by: str | None) -> set[str]:
        return await self._read(shares.seen_runs, account_id, run_ids, seen_by)

    async def seen_active_runs(self, account_id: str, user_id: str) -> set[str]:
        return await self._read(shares.seen_active_runs, account_id, user_id)

    async def hidden_resources(self, account_id: str, user_id: str) -> set[str]:
        return await self._read(shares.hidden_resources, account_id, user_id)
