"""How requests name what they mean."""

from __future__ import annotations

from fastapi import Request

from agent.core.callers import Caller
from agent.core.operations import Core
from shared.errors import InvalidInput
from shared.ids import is_id


async def job_key(core: Core, caller: Caller, key: str | None) -> str | None:
    """A job's id. Ids pass unseen, so that what a deleted job left can still be read; slugs are looked up."""
    if key is None or is_id(key):
        return key
    return (await core.jobs.get(caller, key)).id


def last_event_id(request: Request) -> int | None:
    """The position that a listener had, from the header that it sends when it connects again."""
    given = request.headers.get("last-event-id")
    if given is None or given == "":
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise InvalidInput.one("Last-Event-ID", "must be the number of the last event that was read", given)
    return int(given)
