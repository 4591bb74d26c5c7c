"""The folder of a dataset: a Parquet file and a manifest for each snapshot.

The manifest makes the snapshot: it is written last, when the file it describes stands whole, and deleted first. A file
that no manifest names is what somebody who was killed left behind.
"""

from __future__ import annotations

import builtins
import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from agent.core.driving import DriverError
from shared.models.dataset import Snapshot

MANIFEST = ".json"
PARQUET = ".parquet"
HASHED = 64 * 1024**2
_ASIDE = ".aside-"
_CHUNK = 1024 * 1024


class SnapshotFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def list(self) -> list[Snapshot]:
        """Newest first. A manifest that cannot be read is none."""
        found = [self._read(path) for path in self.path.glob(f"*{MANIFEST}") if not path.name.startswith(".")]
        return sorted((one for one in found if one), key=lambda one: (one.created_at, one.id), reverse=True)

    def latest(self) -> Snapshot | None:
        return next(iter(self.list()), None)

    def find(self, snapshot_id: str) -> Snapshot | None:
        return next((one for one in self.list() if one.id == snapshot_id), None)

    def require(self, name: str, snapshot_id: str | None = None) -> Snapshot:
        """That one, or the latest. DriverError(kind='no_snapshot') if there is none."""
        found = self.find(snapshot_id) if snapshot_id else self.latest()
        if found is None:
            what = f"snapshot {snapshot_id}" if snapshot_id else "snapshot yet"
            raise DriverError("no_snapshot", f"the dataset '{name}' has no {what}; refresh it first")
        return found

    def parquet(self, snapshot: Snapshot) -> Path:
        return self.path / f"{snapshot.id}{PARQUET}"

    def aside(self, snapshot_id: str) -> Path:
        """Where a snapshot's file is written before it is one."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.path / f"{_ASIDE}{snapshot_id}{PARQUET}"

    def add(self, snapshot: Snapshot) -> None:
        """Its file stands aside: put it in place, then the manifest."""
        aside = self.aside(snapshot.id)
        _settle(aside)
        aside.replace(self.parquet(snapshot))
        written = self.path / f"{_ASIDE}{snapshot.id}{MANIFEST}"
        written.write_text(snapshot.model_dump_json(by_alias=True, indent=1))
        _settle(written)
        written.replace(self._manifest(snapshot.id))
        _settle(self.path)

    def delete(self, snapshot_ids: Iterable[str]) -> int:
        """How many went. Those that are not there are passed over."""
        gone = 0
        known = {one.id for one in self.list()}
        for snapshot_id in snapshot_ids:
            if snapshot_id not in known:
                continue
            self._manifest(snapshot_id).unlink(missing_ok=True)
            _settle(self.path)
            (self.path / f"{snapshot_id}{PARQUET}").unlink(missing_ok=True)
            gone += 1
        return gone

    def remove(self) -> None:
        """All of it: every manifest, then the rest."""
        self.delete([one.id for one in self.list()])
        shutil.rmtree(self.path, ignore_errors=True)

    def faults(self) -> builtins.list[str]:
        """What does not agree: manifests that cannot be read, files that are missing or not what their manifest says.
        Hashes are compared of files up to `HASHED` bytes."""
        manifests = (path for path in sorted(self.path.glob(f"*{MANIFEST}")) if not path.name.startswith("."))
        found = [self._fault(path) for path in manifests]
        return [fault for fault in found if fault]

    def strays(self) -> builtins.list[Path]:
        """Files that no manifest names: what was killed half-way. Right only while nobody writes here."""
        named = {f"{one.id}{PARQUET}" for one in self.list()}
        found = [path for path in self.path.glob(f"*{PARQUET}") if path.name not in named]
        return sorted({*found, *self.path.glob(f"{_ASIDE}*")})

    def sweep(self) -> builtins.list[Path]:
        """Remove the strays; the caller holds the folder's lock."""
        found = self.strays()
        for path in found:
            path.unlink(missing_ok=True)
        return found

    def _fault(self, manifest: Path) -> str:
        snapshot = self._read(manifest)
        if snapshot is None:
            return f"the manifest {manifest.name} cannot be read" if manifest.exists() else ""
        try:
            file = self.parquet(snapshot)
            size = file.stat().st_size
            if size != snapshot.bytes:
                return f"{file.name} has {size} bytes, and its manifest says {snapshot.bytes}"
            if size <= HASHED and file_hash(file) != snapshot.sha256:
                return f"{file.name} is damaged: its SHA-256 is not the one in its manifest"
        except FileNotFoundError:
            return f"{file.name} is missing" if manifest.exists() else ""  # else it was deleted meanwhile
        return ""

    def _manifest(self, snapshot_id: str) -> Path:
        return self.path / f"{snapshot_id}{MANIFEST}"

    def _read(self, path: Path) -> Snapshot | None:
        with suppress(OSError, ValidationError):
            snapshot = Snapshot.model_validate_json(path.read_bytes())
            if path.name == f"{snapshot.id}{MANIFEST}":
                return snapshot
        return None


def file_hash(path: Path) -> str:
    """SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _settle(path: Path) -> None:
    """On the disk, whatever happens next."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
