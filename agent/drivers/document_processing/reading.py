"""Documents read one after the other, in a process of their own that is replaced when one of them broke it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from typing import Any, NamedTuple, Self

from agent.core.driving import DriverError, RunContext
from agent.drivers.document_processing.listing import type_of
from agent.drivers.document_processing.parameters import ARCHIVES, DocumentParameters
from agent.resources.datasets.places import open_file
from shared.sizes import format_size, show_size

START_SECONDS = 60.0
LOOK_SECONDS = 0.1
PIECE = 1 << 16
TRIES = 3
"""To read a file that changes meanwhile."""


class Unreadable(Exception):
    """One document cannot be read; the message says why. The others are not concerned."""


class Chunk(NamedTuple):
    """`page` counts from 1, where the document has pages."""

    text: str
    page: int | None


class Document(NamedTuple):
    name: str
    chunks: list[Chunk]
    metadata: dict[str, str | int]


class DocumentReader:
    """Used by one thread, as a context manager."""

    def __init__(self, context: RunContext, parameters: DocumentParameters) -> None:
        self._context = context
        self._parameters = parameters
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def load(self, name: str) -> bytes:
        """The file's content; Unreadable."""
        most = self._parameters.max_file_size
        try:
            with open_file(self._context.file_roots, name) as handle:
                content = _settled(handle, most + 1)
                size = os.fstat(handle).st_size
        except DriverError as error:
            raise Unreadable(error.message) from None
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from None
        if content is None:
            raise Unreadable("it is being written; the next run reads it")
        if len(content) > most:
            shown = show_size(max(size, len(content)), beside=most)
            raise Unreadable(f"it has {shown}, more than max_file_size ({format_size(most)})")
        return content

    def read(self, name: str, content: bytes) -> Document:
        """Its text in chunks, and what it says of itself; Unreadable, RunCancelled."""
        type_ = type_of(name)
        task = {
            "type": type_,
            "archive": type_ in ARCHIVES,
            "size": len(content),
            "characters": self._parameters.chunk_characters,
            "overlap": self._parameters.chunk_overlap,
            "most": self._parameters.max_characters,
        }
        answer = self._ask(json.dumps(task).encode() + b"\n" + content)
        if (fault := answer.get("fault")) is not None:
            raise Unreadable(fault)
        chunks = [Chunk(chunk["text"], chunk.get("page")) for chunk in answer["chunks"]]
        return Document(name, chunks, answer["metadata"])

    def _ask(self, question: bytes) -> dict[str, Any]:
        child = self._running()
        assert child.stdin is not None
        try:
            child.stdin.write(question)
            child.stdin.flush()
        except BrokenPipeError:
            raise self._broken() from None
        answer = self._answer(child, self._parameters.max_seconds)
        if answer is None:
            self._end()
            raise Unreadable(f"reading it takes longer than max_seconds ({self._parameters.max_seconds:g})")
        return answer

    def _answer(self, child: subprocess.Popen[bytes], seconds: float) -> dict[str, Any] | None:
        """The next line that it says; None if it says nothing in time."""
        assert child.stdout is not None
        end = self._context.clock.monotonic() + seconds
        said = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                self._context.check_cancelled()
                if self._context.clock.monotonic() >= end:
                    return None
                if selector.select(LOOK_SECONDS):
                    piece = os.read(child.stdout.fileno(), PIECE)
                    if not piece:
                        raise self._broken()
                    said += piece
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            command = (sys.executable, "-I", "-m", "agent.drivers.document_processing.child")
            self._child = subprocess.Popen(  # noqa: S603  (its own interpreter and module)
                [*command, str(self._parameters.max_memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
            )
            try:
                ready = self._answer(self._child, START_SECONDS)
            except Unreadable:
                ready = None
            if ready is None:
                self._end()
                raise DriverError(
                    "driver_missing", "documents cannot be read here; run: pip install 'jobdeck[documents]'"
                )
        return self._child

    def _broken(self) -> Unreadable:
        """What to say of the document that the process ended at."""
        code = self._child.wait() if self._child else 0
        self._end()
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return Unreadable(f"reading it broke the reader ({how}); it may want more memory than max_memory")

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what it was not given any more
        child.wait()


def _settled(handle: int, most: int) -> bytes | None:
    """The beginning of the file; None if somebody writes it all the while."""
    for _ in range(TRIES):
        before = os.fstat(handle)
        with os.fdopen(os.dup(handle), "rb") as file:
            file.seek(0)
            content = file.read(most)
        after = os.fstat(handle)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return content
    return None
