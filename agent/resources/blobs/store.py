"""`Blobs` in a folder: one folder for each account, in it contents by their SHA-256, two letters a folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from agent.core.wire import StoredLimit
from agent.resources.stored import room_for, stored_bytes

_DIGEST = re.compile("[0-9a-f]{64}")


class FileBlobStore:
    """Implements `Blobs`. A content is written aside, synced and renamed; who puts what is there already touches it."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now

    async def put(
        self, account_id: str, content: AsyncIterator[bytes], limit: StoredLimit | None = None
    ) -> tuple[str, int]:
        aside = await asyncio.to_thread(self._open_aside)
        digest, size = hashlib.sha256(), 0
        try:
            with aside:
                async for chunk in content:
                    size += len(chunk)
                    digest.update(chunk)
                    await asyncio.to_thread(aside.write, chunk)
                await asyncio.to_thread(_sync, aside)
            await asyncio.to_thread(self._take_in, aside.name, account_id, digest.hexdigest(), size, limit)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside.name)  # noqa: PTH108
            raise
        return digest.hexdigest(), size

    def path(self, account_id: str, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no SHA-256")
        return str(Path(self.folder(account_id), digest[:2], digest))

    def folder(self, account_id: str) -> str:
        return str(self._folder / hashlib.sha256(account_id.encode()).hexdigest()[:16])

    async def size(self, folders: Sequence[str]) -> int:
        return await asyncio.to_thread(stored_bytes, folders)

    def holds(self, account_id: str, digest: str) -> bool:
        return os.path.isfile(self.path(account_id, digest))  # noqa: PTH113

    async def unnamed(self, named: frozenset[str], before: datetime) -> Sequence[str]:
        return await asyncio.to_thread(lambda: [str(path) for path in self._old(before) if path.name not in named])

    async def delete(self, paths: Sequence[str]) -> None:
        await asyncio.to_thread(_delete, paths)

    def _open_aside(self) -> BinaryIO:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=self._folder, prefix="aside-", delete=False)  # type: ignore[return-value]

    def _take_in(self, aside: str, account_id: str, digest: str, size: int, limit: StoredLimit | None) -> None:
        """What is there already takes no more room."""
        target = Path(self.path(account_id, digest))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = self._now().timestamp()
        os.utime(aside, (now, now))
        with room_for(size, account_id, None if target.exists() else limit):
            os.replace(aside, target)  # noqa: PTH105
        _sync_folder(target.parent)

    def _old(self, before: datetime) -> Iterator[Path]:
        """Contents, and what was written aside by an agent that died over it."""
        for path in [*self._contents(), *self._folder.glob("aside-*")]:
            with suppress(OSError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    yield path

    def _contents(self) -> Iterator[Path]:
        return (path for path in self._folder.glob("*/*/*") if _DIGEST.fullmatch(path.name))


def _delete(paths: Sequence[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
