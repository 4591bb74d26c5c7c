"""A backup as it lies there, a folder or a tar file, read with suspicion: only what its manifest names, and no more."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from agent.upkeep.manifest import LARGEST_MANIFEST, MANIFEST_FILE, KeptFile, Manifest, parse_manifest
from shared.errors import InvalidInput, NotFound

Opener = Callable[[KeptFile], BinaryIO]


class Archive:
    """`manifest`, and the files that it names: each there, and as long as it says."""

    def __init__(self, manifest: Manifest, opener: Opener) -> None:
        self.manifest = manifest
        self.open = opener


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """NotFound if there is nothing; InvalidInput on `backup` if it is none, lacks something, or has what it must not."""
    if path.is_dir():
        yield _open_folder(path)
    elif path.is_file():
        try:
            with tarfile.open(path, "r:") as tar:
                yield _open_tar(tar, path)
        except tarfile.TarError as error:
            raise _wrong(f"{path} cannot be read as a tar file: {error}") from None
    else:
        raise NotFound(f"there is no backup {path}")


def _open_folder(folder: Path) -> Archive:
    listed = folder / MANIFEST_FILE
    if listed.is_symlink() or not listed.is_file():
        raise _wrong(f"{folder} is no backup: it has no {MANIFEST_FILE}")
    if listed.stat().st_size > LARGEST_MANIFEST:
        raise _wrong(f"{MANIFEST_FILE} of {folder} is too large")
    manifest = parse_manifest(listed.read_bytes(), str(folder))
    root = folder.resolve()
    for kept in manifest.files:
        file = folder / kept.path
        if file.resolve() != root / kept.path or not file.is_file():
            raise _wrong(f"{kept.path} of {folder} is missing, or no plain file")
        _check_size(kept, file.stat().st_size)
    return Archive(manifest, lambda kept: (folder / kept.path).open("rb"))


def _open_tar(tar: tarfile.TarFile, path: Path) -> Archive:
    """The manifest comes first; sizes are compared in the headers, before a byte of content is read."""
    manifest = parse_manifest(_first(tar, path), str(path))
    expected = {kept.path: kept for kept in manifest.files}
    members: dict[str, tarfile.TarInfo] = {}
    while (member := tar.next()) is not None:
        kept = expected.get(member.name)
        if kept is None or member.name in members:
            raise _wrong(f"{path} has a file that {MANIFEST_FILE} does not name, or twice: {member.name!r}")
        _check_plain(member, path)
        _check_size(kept, member.size)
        members[member.name] = member
    if missing := next((name for name in expected if name not in members), None):
        raise _wrong(f"{missing} is missing in {path}")

    def opened(kept: KeptFile) -> BinaryIO:
        file = tar.extractfile(members[kept.path])
        assert file is not None
        return file  # type: ignore[return-value]  # typeshed says IO[bytes]

    return Archive(manifest, opened)


def _first(tar: tarfile.TarFile, path: Path) -> bytes:
    member = tar.next()
    if member is None or member.name != MANIFEST_FILE:
        raise _wrong(f"{path} is no backup: it does not begin with {MANIFEST_FILE}")
    _check_plain(member, path)
    if member.size > LARGEST_MANIFEST:
        raise _wrong(f"{MANIFEST_FILE} of {path} is too large")
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def _check_plain(member: tarfile.TarInfo, path: Path) -> None:
    if not member.isreg() or member.issparse():
        raise _wrong(f"{member.name!r} in {path} is no plain file")


def _check_size(kept: KeptFile, size: int) -> None:
    if size != kept.size:
        raise _wrong(f"{kept.path} has {size} bytes, and {MANIFEST_FILE} says {kept.size}")


def _wrong(message: str) -> InvalidInput:
    return InvalidInput.one("backup", message)
