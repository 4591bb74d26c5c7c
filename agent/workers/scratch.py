"""The folder that a run has to itself."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)


async def remove_folder(folder: str) -> None:
    """The folder that a run had to itself, if there is one."""
    if os.path.lexists(folder):  # noqa: ASYNC240 (most runs never use theirs, and a thread costs more than they do)
        await asyncio.to_thread(_remove_now, Path(folder))


def _remove_now(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _log.warning("the folder of a run could not be removed", folder=str(folder))
