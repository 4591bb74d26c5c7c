"""Which index of a knowledge base counts, and whether it fits: `index.json`, put in place when its file is whole.

An index is good for the generation that it was made for, and for rows up to its last id: newer ones are compared one
by one, and rows that are gone are looked up in vain. The index itself is not opened here, so that whoever only wants
to know needs no library for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from agent.resources.knowledge.rows import newest_id
from agent.resources.knowledge.shares import current_generation

NAME = "index.json"
FORMAT: Literal[1] = 1
GRAPH, TWINS = "usearch", "twins"
"""The files of an index, by their endings; the second only where there are rows with the same vector."""
FILES = "index-*"
ASIDE = "aside-"
WITNESSES = 64


class IndexUnfit(Exception):
    """An index that is there and must not be used; the message says why."""


@dataclass(frozen=True, slots=True)
class IndexManifest:
    """`files` gives the bytes and the digest of each file `<stem>.<ending>`; `witnesses` are digests of the last vectors
    in it, by row id; `breadth` is how many candidates a search keeps in view, with which `recall` was measured."""

    stem: str
    files: dict[str, tuple[int, str]]
    generation: int
    last_id: int
    rows: int
    embedder: str
    dimensions: int
    connectivity: int
    breadth: int
    recall: float
    witnesses: dict[int, str]
    format: Literal[1] = FORMAT

    @property
    def bytes(self) -> int:
        return sum(size for size, _digest in self.files.values())


_manifests = TypeAdapter(IndexManifest)


def read_manifest(folder: Path) -> IndexManifest | None:
    """None if no index was ever made; IndexUnfit if what is there cannot be read."""
    try:
        return _manifests.validate_json((folder / NAME).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IndexUnfit(f"{NAME} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"])) or "it"
        raise IndexUnfit(f"{NAME} cannot be read: {place}: {fault['msg']}; was it made by another version?") from None


def publish(folder: Path, manifest: IndexManifest) -> None:
    """From now on this index counts; the files of others are removed. Its own is whole and on the disk already."""
    aside = folder / f"{NAME}.{os.getpid()}"
    with aside.open("w") as file:
        json.dump(asdict(manifest), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / NAME)
    sync_folder(folder)
    for path in folder.glob(FILES):
        if path.stem != manifest.stem:
            path.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """What a killed run left; the caller holds the writer lock."""
    for path in (*folder.glob(f"{ASIDE}*"), *folder.glob(f"{NAME}.*")):
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    with _opened(folder) as handle:
        os.fsync(handle)


def check_fit(manifest: IndexManifest, base: sqlite3.Connection, embedder: str, dimensions: int) -> None:
    """IndexUnfit unless it was made of this base, as it stands in `base`'s transaction."""
    if (manifest.embedder, manifest.dimensions) != (embedder, dimensions):
        raise IndexUnfit(
            f"it was made for embedder '{manifest.embedder}' with {manifest.dimensions} dimensions,"
            f" the knowledge base has '{embedder}' with {dimensions}"
        )
    generation = current_generation(base)
    if manifest.generation != generation:
        raise IndexUnfit(f"it was made for generation {manifest.generation}, the knowledge base is at {generation}")
    if manifest.last_id > newest_id(base) or not _witnessed(manifest, base):
        raise IndexUnfit("it was made of other rows; was the knowledge base put back from a backup?")


def check_files(manifest: IndexManifest, folder: Path) -> dict[str, Path]:
    """Its files by ending, found whole; IndexUnfit if they are not: what a search would make of a damaged one is
    undefined."""
    found = {ending: folder / f"{Path(manifest.stem).name}.{ending}" for ending in manifest.files}
    if GRAPH not in found:
        raise IndexUnfit(f"{NAME} is incomplete")
    for ending, path in found.items():
        _check_file(path, *manifest.files[ending])
    return found


def index_fault(folder: Path, base: sqlite3.Connection, embedder: str, dimensions: int) -> str:
    """Why the index in `folder` is not used; empty if it is, or if there is none."""
    try:
        manifest = read_manifest(folder)
        if manifest is not None:
            check_fit(manifest, base, embedder, dimensions)
            check_files(manifest, folder)
    except IndexUnfit as unfit:
        return str(unfit)
    return ""


def described(path: Path) -> tuple[int, str]:
    """What the manifest says of a file."""
    return path.stat().st_size, _digest_of(path)


def _check_file(path: Path, size: int, digest: str) -> None:
    try:
        found = path.stat().st_size
        if found != size:
            raise IndexUnfit(f"{path.name} has {found} bytes, not {size}")
        if _digest_of(path) != digest:
            raise IndexUnfit(f"{path.name} is damaged: its content is not what was written")
    except FileNotFoundError:
        raise IndexUnfit(f"{path.name} is gone") from None
    except OSError as error:
        raise IndexUnfit(f"{path.name} cannot be read: {error}") from None


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def witness(vector: bytes) -> str:
    return hashlib.blake2b(vector, digest_size=8).hexdigest()


def _witnessed(manifest: IndexManifest, base: sqlite3.Connection) -> bool:
    """Whether those of the last rows that still exist have the vectors that they had."""
    found = base.execute(
        "SELECT id, vector FROM rows WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(manifest.witnesses)),),
    )
    return all(manifest.witnesses[id_] == witness(vector) for id_, vector in found)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)
