"""The index as searches use it: opened once for each manifest, left alone with a reason where it does not fit."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.resources.embedders import Vectors
from agent.resources.knowledge.index.manifest import (
    GRAPH,
    NAME,
    TWINS,
    IndexManifest,
    IndexUnfit,
    check_files,
    check_fit,
    read_manifest,
)
from agent.resources.knowledge.index.twins import Twins
from agent.resources.knowledge.segment import Ids
from agent.resources.knowledge.shares import current_generation

if TYPE_CHECKING:
    from usearch.index import Index

_log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class VectorIndex:
    """The rows up to `last_id`, of which `nearest` finds almost always the nearest; safe for several threads."""

    def __init__(self, manifest: IndexManifest, files: dict[str, Path]) -> None:
        self.generation = manifest.generation
        self.last_id = manifest.last_id
        self._index = open_file(files[GRAPH], manifest.dimensions, manifest.breadth)
        self._twins = Twins.read(files[TWINS]) if TWINS in files else None
        self._one_at_a_time = threading.Lock()
        held = len(self._index) + len(self._twins or ())
        if held != manifest.rows:
            raise IndexUnfit(f"{manifest.stem} holds {held} rows, not {manifest.rows}")

    def nearest(self, vector: Vectors, count: int) -> Ids:
        """Ids of about the `count` nearest rows, ascending, or some more; some may be of rows that are gone."""
        with self._one_at_a_time:  # the library promises nothing for searches of one index at the same time
            found = self._index.search(vector, count, threads=1)
        near = np.sort(found.keys.astype(np.int64))
        return near if self._twins is None else self._twins.joined(near, count)


class IndexInUse:
    """Looks at the manifest with every question, which costs microseconds; the caller lets one thread in at a time."""

    def __init__(self, folder: Path, embedder: str, dimensions: int) -> None:
        self.fault = ""
        """Why the index that is there is not used."""
        self._folder = folder
        self._embedder = embedder
        self._dimensions = dimensions
        self._stamp: _Stamp | None = None
        self._opened: VectorIndex | None = None

    def current(self, base: sqlite3.Connection) -> VectorIndex | None:
        """The index that fits the base as it stands in its transaction; None if there is none."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp, self._opened = stamp, self._open(base)
        if self._opened is not None and self._opened.generation != current_generation(base):
            self._opened = self._open(base)
        return self._opened

    def _look(self) -> _Stamp | None:
        try:
            found = (self._folder / NAME).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _open(self, base: sqlite3.Connection) -> VectorIndex | None:
        self.fault = ""
        try:
            manifest = read_manifest(self._folder)
            if manifest is None:
                return None
            check_fit(manifest, base, self._embedder, self._dimensions)
            return VectorIndex(manifest, check_files(manifest, self._folder))
        except IndexUnfit as unfit:
            self.fault = str(unfit)
        except ImportError:
            self.fault = "usearch is not installed; run: pip install 'jobdeck[kb]'"
        _log.warning("the vector index in %s is not used, searches compare every row: %s", self._folder, self.fault)
        return None


def open_file(path: Path, dimensions: int, breadth: int) -> Index:
    """The file, mapped; IndexUnfit if the library does not take it."""
    from usearch.index import Index

    index = Index(ndim=dimensions, metric="ip", dtype="f16", expansion_search=breadth, enable_key_lookups=False)
    try:
        index.view(path)
    except RuntimeError as error:
        raise IndexUnfit(f"{path.name} cannot be opened: {error}") from None
    if index.ndim != dimensions:
        raise IndexUnfit(f"{path.name} holds {index.ndim} dimensions, not {dimensions}")
    return index
