"""Real texts of this machine, each once and always in the same order: paragraphs of docstrings, of manual pages, of the
documents that packages bring and, if these are not enough, of code. How many there are depends on what is installed."""

from __future__ import annotations

import gzip
import re
import sys
import sysconfig
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

SHORTEST = 40
LONGEST = 2000
"""Characters of a text."""

_DOCSTRING = re.compile(r'"""(.+?)"""', re.DOTALL)
_MACRO = re.compile(r"(?m)^[.'].*$")
_FONT = re.compile(r"\\f.|\\&|\\(?=-)")
_PROSE = (".rst", ".md", ".txt", ".html")


def real_texts(count: int) -> list[str]:
    """The first `count`; SystemExit says so if the machine has fewer."""
    found: dict[str, None] = {}
    for text in chain(_docstrings(), _manual_pages(), _documents(), _code()):
        found.update(dict.fromkeys(_paragraphs(text)))
        if len(found) >= count:
            return list(found)[:count]
    sys.exit(f"this machine has {len(found):,} texts, {count:,} are needed")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        shown = " ".join(paragraph.split())
        if SHORTEST <= len(shown) <= LONGEST:
            yield shown


def _docstrings() -> Iterator[str]:
    for path in _files(_libraries(), (".py",)):
        yield from _DOCSTRING.findall(_read(path))


def _manual_pages() -> Iterator[str]:
    for path in _files([Path("/usr/share/man")], (".gz",)):
        yield _FONT.sub("", _MACRO.sub("\n", _read(path)))


def _documents() -> Iterator[str]:
    return map(_read, _files([*_libraries(), Path("/usr/share/doc")], _PROSE))


def _code() -> Iterator[str]:
    """The rest of the modules, with their comments."""
    return (_DOCSTRING.sub("", _read(path)) for path in _files(_libraries(), (".py", ".pyi", ".h")))


def _libraries() -> list[Path]:
    paths = sysconfig.get_paths()
    return [Path(place) for place in dict.fromkeys((paths["stdlib"], paths["purelib"], "/usr/lib/python3"))]


def _files(folders: list[Path], endings: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.suffix in endings and path.is_file())


def _read(path: Path) -> str:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8", "replace")
