"""UUIDv7 ids: strings that sort by the time they were drawn."""

from __future__ import annotations

import re
from collections.abc import Callable

import uuid_utils

NewId = Callable[[], str]

_CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE).fullmatch
_NUMBER = re.compile(r"#?([0-9]{1,18})", re.ASCII).fullmatch


def new_id() -> str:
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """True for the canonical text of any UUID; anything else can be answered with 404 unseen."""
    return _CANONICAL(text) is not None


def run_number(text: str) -> int | None:
    """The number that `#4` or `4` names a run by; None for all else. Numbers are one store's and never given twice, so
    that one means the same run whenever it is said."""
    found = _NUMBER(text)
    return int(found[1]) if found else None
