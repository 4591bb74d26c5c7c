"""A backup put back. What is checked is what is put in place: every file is written aside with its hash compared, and only
when all of them are right do they take their places, while no agent can have the folder."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from agent.store import schema
from agent.store.engine.lock import take_lock
from agent.upkeep.archive import Archive, open_archive
from agent.upkeep.files import new_file, private_folder, settle, settle_all, to_disk, why
from agent.upkeep.layout import KEPT, RESTORING, Layout
from agent.upkeep.manifest import KeptFile, Manifest, pour
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput, Unavailable

_NOTHING = (RESTORING, "lost+found")
SPARE = 64 * 1024 * 1024
"""Bytes that stay free on the disk."""


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    replaced: Path | None
    """Where what was in the folder before lies now."""


def restore(backup: Path, data_dir: Path, clock: Clock, *, force: bool = False) -> Restored:
    """Make `data_dir` what it was when the backup was made. With `force`, what is there now is moved into a folder inside.

    Nothing is changed unless the whole backup is sound. InvalidInput on `backup` names what is not; Conflict if the
    folder has something in it (without `force`), an agent works on it, or a newer Jobdeck made the backup.
    """
    layout = Layout(data_dir)
    with open_archive(backup) as archive:
        _check(archive.manifest, layout, force=force)
        with _folder(data_dir), _held(layout, clock):
            try:
                _unpack(archive, layout.restoring)
                replaced = _put_in_place(layout, clock)
            except (OSError, tarfile.TarError) as error:
                raise Unavailable(f"nothing was restored: {why(error)}") from error
    return Restored(archive.manifest, replaced)


def _check(manifest: Manifest, layout: Layout, *, force: bool) -> None:
    if not schema.is_known(manifest.store_schema):
        raise Conflict(f"Jobdeck {manifest.jobdeck}, which is newer, made this backup; upgrade Jobdeck first")
    if not any(file.path == layout.store.name for file in manifest.files):
        raise InvalidInput.one("backup", f"it has no {layout.store.name}")
    if _in_use(layout) and not force:
        raise Conflict(
            f"{layout.root} is not empty; name a new folder, or say --force: what is there is then moved aside"
        )
    free = shutil.disk_usage(_existing(layout.root)).free - SPARE
    if manifest.size > free:
        raise Unavailable(f"the backup needs {manifest.size} bytes, and {max(free, 0)} are free at {layout.root}")


def _in_use(layout: Layout) -> bool:
    """The lock alone, which is never deleted, is nothing that could be lost."""
    return layout.root.exists() and any(
        path.name not in (layout.lock.name, *_NOTHING) for path in layout.root.iterdir()
    )


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


@contextmanager
def _folder(data_dir: Path) -> Iterator[None]:
    """Made if it is not there, and removed again if nothing comes of it."""
    is_new = not data_dir.exists()
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    try:
        yield
    except BaseException:
        if is_new:
            shutil.rmtree(data_dir, ignore_errors=True)
        raise


@contextmanager
def _held(layout: Layout, clock: Clock) -> Iterator[None]:
    lock = take_lock(layout.store, clock, "restore")
    try:
        yield
    finally:
        shutil.rmtree(layout.restoring, ignore_errors=True)
        lock.release()


def _unpack(archive: Archive, aside: Path) -> None:
    shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
    aside.mkdir(mode=0o700)
    for kept in archive.manifest.files:
        _unpack_one(archive, kept, aside / kept.path)
    settle_all(aside)


def _unpack_one(archive: Archive, kept: KeptFile, target: Path) -> None:
    private_folder(target.parent)
    with archive.open(kept) as source, new_file(target) as file:
        found = pour(source, file, kept.size)
        to_disk(file)
    if (found.size, found.sha256) != (kept.size, kept.sha256):
        raise InvalidInput.one("backup", f"{kept.path} is damaged: its SHA-256 is not the one in the manifest")


def _put_in_place(layout: Layout, clock: Clock) -> Path | None:
    """The key of a folder that is restored from a backup without one stays: it is the only one that opens its secrets."""
    root, aside = layout.root, layout.restoring
    old = _free_place(root / f"replaced-{clock.now():%Y%m%dT%H%M%S}")
    # the store leaves first and arrives last: where this is cut short there is none, and no agent begins with another
    arriving = sorted((path.name for path in aside.iterdir()), key=lambda name: name == layout.store.name)
    leaving = [name for name in KEPT if (root / name).exists() and (name in arriving or name != layout.key.name)]
    leaving += [path.name for path in root.glob(f"{layout.store.name}-*")]  # another store's journal would spoil it
    if leaving:
        old.mkdir(mode=0o700)
    _move_all([(root / name, old / name) for name in leaving] + [(aside / name, root / name) for name in arriving])
    settle(root)
    return old if leaving else None


def _free_place(wanted: Path) -> Path:
    """That, or where two come in one second: `…-2` and so on."""
    others = (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
    return next(place for place in chain([wanted], others) if not place.exists())


def _move_all(moves: list[tuple[Path, Path]]) -> None:
    """All of them, or none."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.rename(target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.rename(source)
        raise
