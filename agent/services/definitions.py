"""Applies the definitions folder as it changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from watchfiles import awatch

from agent.core.definitions.defining import Defining
from agent.services.poller import Poller
from shared.errors import Unavailable

_log = structlog.get_logger()
_LOOK_EVERY = 60.0
"""Seconds: what no file says may have changed as well, as a connection that a definition names."""
_SETTLING_MS = 200
"""Changes that come closer together are looked at once."""


class Definitions(Poller):
    def __init__(self, defining: Defining, folder: Path) -> None:
        super().__init__()
        self._defining = defining
        self._folder = folder
        self._watching: asyncio.Task[None] | None = None

    async def poll(self) -> float:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="definitions_folder")
        report = await self._defining.look()
        if report.fault:
            raise Unavailable(report.fault)
        return _LOOK_EVERY

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await super().stop()

    async def _watch(self) -> None:
        """Ends where the folder is missing; the next look begins it again."""
        try:
            async for _ in awatch(self._folder, debounce=_SETTLING_MS, step=50, raise_interrupt=False):
                self.wake()
        except OSError as error:
            _log.warning("definitions_not_watched", folder=str(self._folder), why=str(error))
