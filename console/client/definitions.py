"""The routes of jobs as code."""

from __future__ import annotations

from console.client.session import Session
from shared.models.applying import Changes, DefinitionsReport, GivenDefinitions

_BASE = "/definitions"


class Definitions:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def plan(self, given: GivenDefinitions) -> Changes:
        """What applying would change; nothing is stored."""
        return await self._session.fetch(Changes, "POST", f"{_BASE}/_plan", body=given)

    async def apply(self, given: GivenDefinitions) -> Changes:
        """With a refusal among the changes, nothing was changed."""
        return await self._session.fetch(Changes, "POST", f"{_BASE}/_apply", body=given)

    async def folder(self) -> DefinitionsReport:
        """What the agent made of its definitions folder."""
        return await self._session.fetch(DefinitionsReport, "GET", _BASE)
