"""The way to a Unix socket whose path is longer than the kernel takes.

`sun_path` has room for 108 bytes. On Linux a long one is reached from its folder, which is opened first: the socket stays where
it belongs, behind its folder's rights, and nothing is made elsewhere that somebody could have made before.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from shared.errors import InvalidInput

_LONGEST = 107
"""Bytes of a path, without the closing zero."""
_HANDLES = Path("/proc/self/fd")


def way_to(socket: Path) -> str:
    """What to bind, or to connect to. Where the folder is missing, a path at which nothing is.

    InvalidInput on `data_dir` if the path is too long and this system knows no other way.
    """
    excess = len(os.fsencode(socket)) - _LONGEST
    if excess <= 0:
        return str(socket)
    if not _HANDLES.is_dir():
        message = f"the path of the socket inside it is {excess} bytes too long: {socket}"
        raise InvalidInput.one("data_dir", message, str(socket.parent.parent))
    try:
        handle = _opened(socket.parent)
    except FileNotFoundError:
        handle = -1
    return str(_HANDLES / str(handle) / socket.name)


@cache
def _opened(folder: Path) -> int:
    """Open as long as this process lives: connections are made again and again."""
    return os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
