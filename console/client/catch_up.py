"""The routes of missed fires that wait."""

from __future__ import annotations

from console.client.session import Session
from shared.models import Backlog, HeldChoice, HeldDecision, ReleaseChoice

_BASE = "/catch-up"


class CatchUps:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def backlog(self) -> Backlog:
        """What waits, by job, the oldest first."""
        return await self._session.fetch(Backlog, "GET", _BASE)

    async def release(self, choice: ReleaseChoice) -> HeldDecision:
        """Those that wait for an operator start under the rate; released twice, they start once."""
        return await self._session.fetch(HeldDecision, "POST", f"{_BASE}/_release", body=choice)

    async def discard(self, choice: HeldChoice) -> HeldDecision:
        return await self._session.fetch(HeldDecision, "POST", f"{_BASE}/_discard", body=choice)
