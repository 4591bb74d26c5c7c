"""Folders named by ids."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from shared.errors import Unavailable


def folder_name(id_: str) -> str:
    """An id as one component of a path, the same for the same id only; it leads nowhere else."""
    name = quote(id_, safe="")
    return "%2E" + name[1:] if name.startswith(".") else name


async def make_folder(path: str) -> None:
    """Unavailable if there is none and it cannot be made."""
    try:
        await asyncio.to_thread(Path(path).mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"the folder {path} cannot be made: {error.strerror}") from error
