"""A copy of a data folder while its agent works.

The order makes it safe. The store comes first: whatever it calls done is then also in what is copied after it. A
knowledge base holds its own watermark, committed with its rows, so one that is newer than the store only means that a
run which the store has not seen end is made again and finds its rows there. The other way round, a job that the store
calls done could be missing from the knowledge base until something moves it. The key of the secrets opens the store as
it is at any moment: the two are copied together, again where the key was changed meanwhile.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from agent.release import release
from agent.resources.knowledge.file import SCHEMA_VERSION
from agent.store import STORE_FILE
from agent.store.inspection import inspect_store
from agent.upkeep.aside import folder_beside, packed_of
from agent.upkeep.files import new_file, private_folder, settle, settle_all, to_disk, why
from agent.upkeep.layout import KEPT, Layout
from agent.upkeep.manifest import MANIFEST_FILE, KeptFile, Manifest, pour
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput, Unavailable

PAGES = 4096
"""Pages of a database copied between two looks for an interrupt."""
BUSY_SECONDS = 30.0
_TRIES = 5
"""Of copying the store while nobody changes the key of its secrets."""


def back_up(data_dir: Path, target: Path, clock: Clock, *, with_key: bool = False) -> Manifest:
    """Copy the folder's store, knowledge bases, datasets, attached files, logs and settings to a new folder, or to a new file `*.tar`.

    `target` appears whole, or not at all. NotFound if `data_dir` is no agent's; Conflict if `target` is there;
    InvalidInput if it cannot be made; Unavailable if something cannot be read, or the disk is full.
    """
    layout = Layout(data_dir)
    layout.require_store()
    _check(target, layout)
    try:
        with folder_beside(target) as aside:
            manifest = _copy(layout, aside, clock, with_key=with_key)
            if target.suffix == ".tar":
                _pack(aside, manifest, target)
            else:
                aside.replace(target)
            settle(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"the backup was not made: {why(error)}") from error
    return manifest


def _check(target: Path, layout: Layout) -> None:
    if target.name.endswith((".tgz", ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".zip")):
        raise InvalidInput.one("target", "write a name that ends in .tar, or one of a folder; compress it afterwards")
    if not target.parent.is_dir():
        raise InvalidInput.one("target", f"there is no folder {target.parent}; make it first", str(target))
    if any(target.resolve().is_relative_to((layout.root / name).resolve()) for name in KEPT):
        # it would be taken for the agent's own files, by the next backup too
        raise InvalidInput.one("target", f"{target} is among the agent's own files; name a place elsewhere")
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise Conflict(f"{target} is there already, and no backup is written over; choose a new name")


def _copy(layout: Layout, aside: Path, clock: Clock, *, with_key: bool) -> Manifest:
    made_at = clock.now()
    files = _copy_store_and_key(layout, aside) if with_key else _copy_store(layout, aside)
    with inspect_store(aside / STORE_FILE) as store:
        schema, store_id = store.schema() or "", store.fact("store_id") or ""
    files += _copy_bases(layout, aside)
    files += _copy_files(layout, aside, layout.blobs())
    files += _copy_files(layout, aside, layout.snapshots())
    files += _copy_files(layout, aside, _log_files(layout))
    files += _copy_files(layout, aside, [layout.settings])
    manifest = Manifest(
        jobdeck=release(),
        store_schema=schema,
        store_id=store_id,
        knowledge_schema=SCHEMA_VERSION,
        made_at=made_at,
        with_key=any(file.path == layout.key.name for file in files),
        files=files,
    )
    with new_file(aside / MANIFEST_FILE) as file:
        file.write(manifest.model_dump_json(indent=1).encode())
        to_disk(file)
    settle_all(aside)
    return manifest


def _copy_store(layout: Layout, aside: Path) -> list[KeptFile]:
    copy_database(layout.store, aside / STORE_FILE)
    return [_seen(aside, STORE_FILE)]


def _copy_store_and_key(layout: Layout, aside: Path) -> list[KeptFile]:
    """With the key that opened the store in the moment of its copy: the one that was there before and after it."""
    for _ in range(_TRIES):
        before = _content(layout.key)
        files = [*_copy_store(layout, aside), *_copy_files(layout, aside, [layout.key])]
        if _content(aside / layout.key.name) == before:
            return files
        for file in files:
            (aside / file.path).unlink()
    raise Unavailable("the key of the secrets is changed again and again; run it when that is over")


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def copy_database(source: Path, target: Path) -> None:
    """One moment of an SQLite file, whoever writes to it meanwhile; nobody waits. The copy stands without a journal."""
    private_folder(target.parent)
    target.touch(mode=0o600)
    reading = sqlite3.connect(
        f"file:{quote(str(source))}?mode=ro", uri=True, isolation_level=None, timeout=BUSY_SECONDS
    )
    with closing(reading), closing(sqlite3.connect(target)) as writing:
        # A read transaction holds the moment: without it, every write of another process would start the copy anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(writing, pages=PAGES, progress=lambda *_: None)
        writing.execute("PRAGMA journal_mode = DELETE")


def _copy_bases(layout: Layout, aside: Path) -> Iterator[KeptFile]:
    """What is derived from a knowledge base (its vectors in memory) is left out: the reader makes it anew."""
    for base in layout.bases():
        name = base.relative_to(layout.root).as_posix()
        try:
            copy_database(base, aside / name)
        except sqlite3.OperationalError:
            if base.exists():
                raise
            shutil.rmtree((aside / name).parent)  # deleted meanwhile
            continue
        yield _seen(aside, name)


def _seen(aside: Path, name: str) -> KeptFile:
    """A file that stands in the backup already."""
    with (aside / name).open("rb") as file, Path(os.devnull).open("wb") as nowhere:
        os.fsync(file.fileno())
        return pour(file, nowhere, (aside / name).stat().st_size).model_copy(update={"path": name})


def _log_files(layout: Layout) -> Iterator[Path]:
    """The index before the text: a line that it names is then in the text; text without a line is cut off at opening."""
    for folder in layout.log_folders():
        yield folder / "index"
        yield from sorted(folder.glob("*.log"))


def _copy_files(layout: Layout, aside: Path, sources: Iterable[Path]) -> Iterator[KeptFile]:
    for source in sources:
        name = source.relative_to(layout.root).as_posix()
        try:
            reading = source.open("rb")
        except FileNotFoundError:  # never there, or deleted meanwhile
            continue
        with reading:
            private_folder((aside / name).parent)
            with new_file(aside / name) as writing:
                # not further than its end now: a log may grow as fast as it is copied
                kept = pour(reading, writing, os.fstat(reading.fileno()).st_size)
                to_disk(writing)
        yield kept.model_copy(update={"path": name})


def _pack(aside: Path, manifest: Manifest, target: Path) -> None:
    """The folder as one file; the manifest first, so that a reader knows what may follow."""
    packed = packed_of(aside)
    with new_file(packed) as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name in (MANIFEST_FILE, *(kept.path for kept in manifest.files)):
                tar.add(aside / name, name, recursive=False)
        to_disk(file)
    packed.rename(target)
