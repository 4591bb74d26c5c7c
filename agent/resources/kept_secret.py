"""A secret of the agent's own, made when it is first needed, kept in the data folder."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from agent.resources.private_file import make_once
from shared.errors import Unavailable

PAGE_KEYS_FILE = "pages.key"
_LENGTH = 32


def kept_secret(path: Path) -> Callable[[], bytes]:
    """Asks for the 32 random bytes in that file; whoever asks first makes it. Losing it ends no more than the pages
    that are being turned."""
    return cache(partial(_read_or_make, path))


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        make_once(path, secrets.token_bytes(_LENGTH))
    secret = path.read_bytes()
    if len(secret) != _LENGTH:
        raise Unavailable(f"{path} does not hold a key of {_LENGTH} bytes; remove it, and a new one is made")
    return secret
