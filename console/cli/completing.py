"""Candidates that only the agent knows: numbers of runs, newest first. Silence where it cannot be asked in a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from console.cli.calling import the_target
from console.client import AgentClient
from shared.errors import JobdeckError

_PATIENCE = 2.0
_SHOWN = 50
_FITTING = {"show": None, "logs": None, "watch": None, "cancel": "state:active", "rerun": "state:finished"}
"""Commands on runs, and which ones each is for."""


def complete_runs(words: Sequence[str]) -> list[str]:
    """For the last of the words behind `jobdeck`, where a run may stand there."""
    if (
        len(words) < 3
        or words[0] != "run"
        or words[1] not in _FITTING
        or any(word.startswith("-") for word in words[-2:])
    ):
        return []
    try:
        return asyncio.run(asyncio.wait_for(_numbers(_FITTING[words[1]]), _PATIENCE))
    except (JobdeckError, TimeoutError):
        return []


async def _numbers(where: str | None) -> list[str]:
    async with AgentClient(the_target()) as client:
        page = await client.runs.page(where=where, limit=_SHOWN)
    return [str(run.number) for run in page.items]
