"""The process in which documents are read: bounds of memory, no files, and an end of its own if one breaks it.

For each document it reads a line of JSON, `{"type", "archive", "size", "characters", "overlap", "most"}`, and `size` bytes from
standard input, and writes a line of JSON: `{"chunks": [{"text", "first_page"?}], "metadata": {…}}` or `{"fault"}`.
The first line is `{"ready": true}`. The only argument is how many bytes of memory reading may take.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import resource
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

import kreuzberg

from agent.drivers.document_processing import archives

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_HTML: Any = {
    "strip_tags": "a b code del em i ins kbd mark s small strong sub sup u".split()  # noqa: SIM905  (read as a list)
}
"""Tags that would come out as Markdown's signs around words. The library's types call it a flag; it wants names."""
_METADATA = {
    "title": "title",
    "subject": "subject",
    "language": "language",
    "created": "created_at",
    "modified": "modified_at",
    "pages": "page_count",
}


def main() -> None:
    # Nothing that a library prints may get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _load_pdf_library()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _extract(b"what every document needs is loaded before memory is counted", "text/plain", _config(1000, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + int(sys.argv[1]), resource.RLIM_INFINITY))
    _answer(answers, {"ready": True})
    while line := sys.stdin.buffer.readline():
        _answer(answers, _read(json.loads(line), sys.stdin.buffer))


def _load_pdf_library() -> None:
    """The library writes it to the folder for temporary files when the first PDF is read, where files are not allowed any
    more; and it would take whatever lies there under its name, whoever put it there. So it gets a folder of its own."""
    with suppress(OSError), tempfile.TemporaryDirectory(prefix="jobdeck-pdf-") as folder:
        os.environ["TMPDIR"] = folder
        with suppress(kreuzberg.KreuzbergError):
            _extract(b"%PDF-1.4", "application/pdf", _config(1000, 0))


def _answer(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _read(task: dict[str, Any], source: BinaryIO) -> dict[str, Any]:
    content = source.read(task["size"])
    if task["type"] == "text/plain" and b"\0" in _in_utf8(content, task["type"]):
        return {"fault": "it is not text"}
    if task["archive"] and (fault := archives.fault_of(content)):
        return {"fault": fault}
    try:
        found = _extract(_in_utf8(content, task["type"]), task["type"], _config(task["characters"], task["overlap"]))
    except kreuzberg.KreuzbergError as error:
        return {"fault": _words(error)}
    except MemoryError:
        return {"fault": "reading it takes more memory than max_memory"}
    if len(found.content) > task["most"]:
        return {"fault": f"it holds {len(found.content)} characters, more than max_characters ({task['most']})"}
    return {"chunks": _chunks(found), "metadata": _metadata(found.metadata)}


def _extract(content: bytes, type_: str, config: kreuzberg.ExtractionConfig) -> kreuzberg.ExtractionResult:
    return kreuzberg.extract_bytes_sync(content, type_, config=config)


def _config(characters: int, overlap: int) -> kreuzberg.ExtractionConfig:
    """Nothing that fetches models or programs, nothing that is kept on the disk."""
    return kreuzberg.ExtractionConfig(
        use_cache=False,
        chunking=kreuzberg.ChunkingConfig(max_chars=characters, max_overlap=overlap, chunker_type="text"),
        html_options=_HTML,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )


def _in_utf8(content: bytes, type_: str) -> bytes:
    """Text in whatever encoding it says it has, or looks like; other files as they are."""
    if not type_.startswith("text/"):
        return content
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").encode()
    named = _CHARSET.search(content[:4096]) if type_ == "text/html" else None
    for encoding in (named[1].decode() if named else "utf-8", "utf-8", "cp1252"):
        try:
            return content.decode(encoding).encode("utf-8", "replace")
        except (LookupError, ValueError):
            continue
    return content.decode("latin-1").encode()


def _chunks(found: kreuzberg.ExtractionResult) -> list[dict[str, Any]]:
    made = [{"text": chunk.content.replace("\r\n", "\n").strip(), **_page(chunk)} for chunk in found.chunks or []]
    return [chunk for chunk in made if chunk["text"]]


def _page(chunk: kreuzberg.Chunk) -> dict[str, int]:
    first = chunk.metadata.get("first_page")
    return {} if first is None else {"page": first}


def _metadata(found: Mapping[str, Any]) -> dict[str, Any]:
    """As texts and numbers, which searches can filter by."""
    values = {name: found.get(theirs) for name, theirs in _METADATA.items()}
    author = found.get("author") or ", ".join(found.get("authors") or []) or found.get("created_by")
    told = {**values, "author": author}
    return {name: value for name, value in told.items() if isinstance(value, str | int) and value != ""}


def _words(error: Exception) -> str:
    """The library's sentence; it tends to say it twice."""
    said = str(error).removeprefix(f"{type(error).__name__}: ")
    half = said[: len(said) // 2 - 1]
    return (half if said == f"{half}: {half}" else said)[:500]


def _address_space() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
