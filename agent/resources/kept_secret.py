"""A secret of the agent's own, made when it is first needed, kept in the data folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from shared.errors import Unavailable

PAGE_KEYS_FILE = "pages.key"
_LENGTH = 32


def kept_secret(path: Path) -> Callable[[], bytes]:
    """Asks for the 32 random bytes in that file; whoever asks first makes it. Losing it ends no more than the pages
    that are being turned."""
    return cache(partial(_read_or_make, path))


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    secret = path.read_bytes()
    if len(secret) != _LENGTH:
        raise Unavailable(f"{path} does not hold a key of {_LENGTH} bytes; remove it, and a new one is made")
    return secret


def _make(path: Path) -> None:
    """Written whole aside, then linked: of two that start together one makes it, both read it."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_LENGTH))
            file.flush()
            os.fsync(handle)
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
