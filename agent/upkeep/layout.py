"""Where in a data folder things lie, and which of them a backup takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.resources.knowledge.file import FILE_NAME
from agent.resources.vault import KEY_FILE
from agent.store import STORE_FILE
from agent.upkeep.findings import listed
from shared.errors import Conflict, Forbidden, NotFound

SETTINGS_FILE = "agent.toml"
LOGS = "logs"
KNOWLEDGE = "knowledge"
BLOBS = "blobs"
DATASETS = "datasets"
_FOLDERS = (LOGS, KNOWLEDGE, BLOBS, DATASETS)
KEPT = (STORE_FILE, KEY_FILE, SETTINGS_FILE, *_FOLDERS)
"""What lies at the top of a backup; everything else in a data folder is made anew."""
RESTORING = ".restoring"
"""Where a restore checks all it has before it moves any of it; gone when it is over."""
_BESIDE = (KEY_FILE, *_FOLDERS, f"{STORE_FILE}-wal", f"{STORE_FILE}.lock")
"""What an agent has beside its store, and nobody else puts there."""


@dataclass(frozen=True, slots=True)
class Layout:
    root: Path

    @property
    def store(self) -> Path:
        return self.root / STORE_FILE

    @property
    def lock(self) -> Path:
        return self.root / f"{STORE_FILE}.lock"

    @property
    def restoring(self) -> Path:
        return self.root / RESTORING

    @property
    def key(self) -> Path:
        return self.root / KEY_FILE

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS_FILE

    @property
    def logs(self) -> Path:
        return self.root / LOGS

    @property
    def knowledge(self) -> Path:
        return self.root / KNOWLEDGE

    def bases(self) -> Iterator[Path]:
        """The files of the knowledge bases, one in a folder each, by account."""
        return iter(sorted(self.knowledge.glob(f"*/*/{FILE_NAME}")))

    def log_folders(self) -> Iterator[Path]:
        """A folder for each run that has said anything."""
        return self.logs.glob("*/*/")

    def blobs(self) -> Iterator[Path]:
        """Contents of attached files, by account."""
        return (self.root / BLOBS).glob("*/*/*")

    @property
    def datasets(self) -> Path:
        return self.root / DATASETS

    def snapshots(self) -> Iterator[Path]:
        """Each snapshot's file, then its manifest: a manifest that is there names a file that is there."""
        for manifest in sorted(self.datasets.glob("*/*/[!.]*.json")):
            yield manifest.with_suffix(".parquet")
            yield manifest

    def require_store(self) -> None:
        """NotFound if this is no agent's folder or its store is gone, Forbidden if it is somebody else's."""
        if not self._has_store():
            raise NotFound(
                self.loss() or f"there is no {STORE_FILE} in {self.root}; name the agent's folder with --data-dir"
            )
        if not os.access(self.store, os.R_OK):
            raise Forbidden(f"this user may not read {self.store}; do it as the user that runs the agent, or as root")

    def require_whole(self) -> None:
        """Conflict where a restore was cut short among its moves. Not to be asked while one may be at it."""
        if self.is_half_restored():
            raise Conflict(f"{self.root} has no store yet: a restore was cut short; run it again, with --force")

    def is_half_restored(self) -> bool:
        """The store leaves first and arrives last."""
        return self.restoring.exists() and not self._has_store()

    def loss(self) -> str:
        """That the store is gone from what is an agent's folder all the same; empty if that is not so."""
        left = [] if self._has_store() else [name for name in _BESIDE if (self.root / name).exists()]
        if not left:
            return ""
        return f"{self.root} is an agent's folder ({listed(left)}), and its store {STORE_FILE} is gone"

    def _has_store(self) -> bool:
        try:
            return self.store.is_file()
        except PermissionError:
            return True


def is_kept(name: str) -> bool:
    """Whether a file of a backup may have this name: relative, below what a backup has, leading nowhere else."""
    path = PurePosixPath(name)
    plain = str(path) == name and not path.is_absolute() and "\0" not in name and ".." not in path.parts
    return plain and path.parts[0] in KEPT and (len(path.parts) > 1) == (path.parts[0] in _FOLDERS)
