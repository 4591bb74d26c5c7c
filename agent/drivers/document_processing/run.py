"""The code of `document_processing`: list, read what changed, bring it to its destination."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.drivers.document_processing.destinations import Destination, IntoBase, IntoFile
from agent.drivers.document_processing.listing import Listing, list_files
from agent.drivers.document_processing.parameters import DocumentParameters
from agent.drivers.document_processing.reading import DocumentReader, Unreadable
from agent.resources.datasets.places import open_folder
from agent.resources.knowledge.opening import opened_base
from agent.resources.knowledge.shares import Share, ShareIdentity, begin_share, find_share

MOST_WARNINGS = 100
KEYS = ("file", "chunk")
READING = 1
"""To be raised when documents come out differently than before."""


def run(context: RunContext, parameters: DocumentParameters) -> dict[str, Any]:
    """DriverError: `path`, `no_file`, `too_many_files`, `nothing_found`; `unreadable` if not one can be read."""
    with context.step("list", "List the files"):
        listing = list_files(context.file_roots, parameters, context.check_cancelled)
        _tell(context, listing)
    with _destination(context, parameters) as destination, DocumentReader(context, parameters) as reader:
        work = _Work(context, parameters, reader, destination)
        with context.step("read", f"Read {len(listing.names)} documents"):
            work.read_all(listing.names)
        with context.step("finish", "Put the result in place"):
            if parameters.remove_missing:
                destination.remove_others(listing.names)
            context.check_cancelled()
            processed = destination.finish()
    result = {
        "documentsProcessed": processed,
        "errors": work.errors,
        "documentsUnchanged": max(0, len(listing.names) - work.errors - processed),
        "documentsRemoved": destination.removed,
        "chunks": destination.chunks,
        "embedded": destination.embedded,
    }
    context.log(", ".join(f"{name} {count}" for name, count in result.items()))
    return result


@dataclass(slots=True)
class _Work:
    context: RunContext
    parameters: DocumentParameters
    reader: DocumentReader
    destination: Destination
    errors: int = 0
    first_error: str = ""

    def read_all(self, names: list[str]) -> None:
        made_by = _way(self.parameters)
        self.context.progress(0, len(names), unit="documents")
        for done, name in enumerate(names, 1):
            self.context.check_cancelled()
            try:
                self._read(name, made_by)
            except Unreadable as error:
                self._refuse(name, str(error))
            self.context.progress(done, len(names), unit="documents")
        if names and self.errors == len(names):
            raise DriverError("unreadable", f"none of {len(names)} documents can be read; {self.first_error}")
        if self.errors > MOST_WARNINGS:
            self.context.warn(f"{self.errors} documents cannot be read; the first {MOST_WARNINGS} are named")

    def _read(self, name: str, made_by: bytes) -> None:
        if _shown(name) != name:
            raise Unreadable("its name is not UTF-8")
        content = self.reader.load(name)
        fingerprint = blake2b(content, digest_size=16, key=made_by).digest()
        if self.destination.has(name, fingerprint):
            return
        document = self.reader.read(name, content)
        if not document.chunks:
            self.context.log(f"{name}: there is no text in it", level="warning")
        self.destination.put(document, fingerprint)

    def _refuse(self, name: str, why: str) -> None:
        self.errors += 1
        said = f"{_shown(name)}: {why}"
        self.first_error = self.first_error or said
        self.context.log(said, level="warning")
        if self.errors <= MOST_WARNINGS:
            self.context.warn(said)


def _shown(name: str) -> str:
    """The name as text: what is no UTF-8 in it is written out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _tell(context: RunContext, listing: Listing) -> None:
    if listing.links:
        context.log(f"{listing.links} links are left alone: links are not followed")
    if not listing.names:
        context.warn("no file that can be read was found")


def _way(parameters: DocumentParameters) -> bytes:
    """What the chunks depend on besides the content: if it changes, documents are read again."""
    try:
        library = version("kreuzberg")
    except PackageNotFoundError:
        raise DriverError(
            "driver_missing", "documents cannot be read here; run: pip install 'jobdeck[documents]'"
        ) from None
    return json.dumps([READING, library, parameters.chunk_characters, parameters.chunk_overlap]).encode()


@contextmanager
def _destination(context: RunContext, parameters: DocumentParameters) -> Iterator[Destination]:
    if parameters.knowledge_base is not None:
        with _into_base(context, parameters, parameters.knowledge_base) as base:
            yield base
    elif parameters.output is not None:
        place = PurePosixPath(parameters.output)
        with (
            open_folder(context.file_roots, str(place.parent), make=True) as folder,
            closing(IntoFile(context, folder, parameters.output)) as file,
        ):
            yield file


@contextmanager
def _into_base(context: RunContext, parameters: DocumentParameters, name: str) -> Iterator[Destination]:
    with opened_base(context, context.knowledge_base(name)) as opened:
        identity = ShareIdentity(parameters.origin, opened.embedder.name, opened.embedder.dimensions, KEYS)
        yield IntoBase(context, opened.writer(_share(context, opened.base, identity)))


def _share(context: RunContext, base: Any, identity: ShareIdentity) -> Share:
    """The origin's content; if it was made by another embedder, a new one that is built aside."""
    live = find_share(base, identity.origin, "live")
    if live is None:
        return begin_share(base, identity, "live", context.run_id, context.clock.now())
    if live.identity == identity:
        return live
    if live.identity.key_columns != KEYS:
        raise DriverError("origin", f"origin '{identity.origin}' is that of a table; take another name for documents")
    building = find_share(base, identity.origin, "building")
    if building and building.identity == identity and building.made_by == context.run_id:
        return building
    context.log("the embedder changed: the content is made anew, aside")
    return begin_share(base, identity, "building", context.run_id, context.clock.now())
