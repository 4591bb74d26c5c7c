"""UUIDv7 ids: strings that sort by the time they were drawn."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import uuid_utils

NewId = Callable[[], str]


def new_id() -> str:
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """True for the canonical text of any UUID; anything else can be answered with 404 unseen."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
