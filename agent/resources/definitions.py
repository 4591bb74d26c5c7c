"""The definitions folder: files that only its owner can have written, read whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import Fault, Unavailable

_ENDINGS = {".toml", ".json"}
_LARGEST = 1024 * 1024
_MOST_FILES = 10_000
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(slots=True)
class FolderContents:
    """By path below the folder: the texts that could be read, and why others were not."""

    texts: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)


class DefinitionsFolder:
    """Implements `DefinitionTexts`. Who can write here decides what runs: what others can write is not read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self) -> FolderContents:
        """All `.toml` and `.json` files below it; names that begin with a dot are passed over.

        Blocks. Unavailable where the folder is missing, is writable by others than the agent's user and root, or has
        more files than anybody meant to put there.
        """
        if fault := _untrusted(self._stat_root()):
            raise Unavailable(f"the definitions folder {self.root} {fault}")
        contents = FolderContents()
        for name in self._files():
            if len(contents.texts) + len(contents.faults) >= _MOST_FILES:
                raise Unavailable(f"the definitions folder {self.root} has more than {_MOST_FILES:,} files")
            text = self._text(name)
            if isinstance(text, Fault):
                contents.faults[name] = text
            else:
                contents.texts[name] = text
        return contents

    def _stat_root(self) -> os.stat_result:
        try:
            found = self.root.stat()
        except OSError as error:
            raise Unavailable(f"the definitions folder {self.root} cannot be read: {error.strerror}") from error
        if not stat.S_ISDIR(found.st_mode):
            raise Unavailable(f"the definitions folder {self.root} is not a folder")
        return found

    def _files(self) -> Iterator[str]:
        for path, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and Path(name).suffix in _ENDINGS:
                    yield str((Path(path) / name).relative_to(self.root))

    def _text(self, name: str) -> str | Fault:
        path = self.root / name
        try:
            if fault := self._place_fault(path):
                return Fault("file", fault, name)
            # Not to wait where a pipe stands; what was opened is what is judged.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if fault := _unreadable(os.fstat(descriptor)):
                    return Fault("file", fault, name)
                return file.read(_LARGEST + 1).decode("utf-8")
        except OSError as error:
            return Fault("file", f"cannot be read: {error.strerror}", name)
        except UnicodeDecodeError as error:
            return Fault("file", f"is not UTF-8: {error.reason} at byte {error.start}", name)

    def _place_fault(self, path: Path) -> str | None:
        """Links may stand for files of the same folder only; each folder on the way is as the first."""
        real, root = path.resolve(), self.root.resolve()
        if not real.is_relative_to(root):
            return "is a link that leads out of the folder"
        for folder in real.parents:
            if folder == root:
                return None
            if fault := _untrusted(folder.stat()):
                return f"lies in {folder.relative_to(root)}, which {fault}"
        return None


def _unreadable(found: os.stat_result) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "is not a plain file"
    if found.st_size > _LARGEST:
        return f"has {found.st_size:,} bytes; at most {_LARGEST:,} are read"
    return _untrusted(found)


def _untrusted(found: os.stat_result) -> str | None:
    if found.st_uid not in {os.geteuid(), 0}:
        return f"belongs to user {found.st_uid}, neither to the agent's user nor to root"
    if found.st_mode & _OTHERS_WRITE:
        return f"can be written by others (mode {stat.S_IMODE(found.st_mode):04o}); take that away: chmod go-w"
    return None
