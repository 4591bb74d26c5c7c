"""Candidates that only the agent knows: names of what is there. Silence where it cannot be asked in a moment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

from console.cli.calling import the_target
from console.client import AgentClient
from shared.errors import JobdeckError

_PATIENCE = 2.0
_SHOWN = 50
_SLUG = re.compile(r"[a-z0-9-]+")
_RUNS_FOR = {"cancel": "state:active", "rerun": "state:finished"}
"""Which runs a command is for; others are for any."""


def complete_named(what: str | None, words: Sequence[str]) -> list[str]:
    """For the last of the words behind `jobdeck`, which is to name `what`, as the help calls it."""
    look = _LOOKS.get(what or "")
    if look is None:
        return []
    try:
        return asyncio.run(asyncio.wait_for(_ask(look, words), _PATIENCE))
    except (JobdeckError, TimeoutError):
        return []


async def _ask(look: _Look, words: Sequence[str]) -> list[str]:
    async with AgentClient(the_target()) as client:
        return await look(client, words)


async def _jobs(client: AgentClient, words: Sequence[str]) -> list[str]:
    where = f"slug:~{words[-1]}" if _SLUG.fullmatch(words[-1]) else None
    return [job.slug for job in (await client.jobs.page(where=where, sort="name", limit=_SHOWN)).items]


async def _runs(client: AgentClient, words: Sequence[str]) -> list[str]:
    """Their numbers, newest first."""
    page = await client.runs.page(where=_RUNS_FOR.get(words[1]), limit=_SHOWN)
    return [str(run.number) for run in page.items]


async def _drafts(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [draft.slug or draft.id for draft in await client.drafts.mine()]


async def _connections(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [connection.name for connection in await client.world.connections()]


async def _knowledge_bases(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [base.name for base in await client.world.knowledge_bases()]


async def _datasets(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [dataset.name for dataset in await client.datasets.all()]


async def _secrets(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [secret.name for secret in await client.access.secrets()]


async def _users(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [user.handle for user in await client.people.users()]


async def _accounts(client: AgentClient, _words: Sequence[str]) -> list[str]:
    return [account.id for account in await client.people.accounts()]


_Look = Callable[[AgentClient, Sequence[str]], Awaitable[list[str]]]
_LOOKS: dict[str, _Look] = {
    "JOB": _jobs,
    "RUN": _runs,
    "DRAFT": _drafts,
    "CONNECTION": _connections,
    "KB": _knowledge_bases,
    "DATASET": _datasets,
    "SECRET": _secrets,
    "USER": _users,
    "ACCOUNT": _accounts,
}
"""By what the help calls an argument or an option's value."""
