"""How requests name what they mean."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from agent.core.operations import Core
from agent.core.permissions.callers import Caller
from shared.errors import InvalidInput
from shared.ids import is_id


async def job_key(core: Core, caller: Caller, key: str | None) -> str | None:
    """A job's id. Ids pass unseen, so that what a deleted job left can still be read; slugs are looked up."""
    if key is None or is_id(key):
        return key
    return (await core.jobs.get(caller, key)).id


def _last_event_id(last_event_id: Annotated[str | None, Header()] = None) -> int | None:
    if not last_event_id:
        return None
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19):
        raise InvalidInput.one("Last-Event-ID", "must be the number of the last event that was read", last_event_id)
    return int(last_event_id)


Resumed = Annotated[int | None, Depends(_last_event_id)]
"""The position that a listener had, from the header that it sends when it connects again."""
