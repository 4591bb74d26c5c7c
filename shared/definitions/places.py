"""On which line of a text a field stands: what the parsers of the standard library do not tell.

Good for pointing at a mistake in a text that parses. It reads no values, so it cannot be wrong about them; where a
field's own line is not found, the line of what it stands in is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.definitions.text import is_json

_Path = tuple[str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*(\[\[?)\s*({_KEYS})\s*\]")
_ASSIGNED = re.compile(rf"\s*({_KEYS})\s*=\s*")
_JSON_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|[{}\[\],:\n]|[^\s{}\[\],:"]+')


def line_of(text: str, field: str) -> int:
    """The line, counted from 1, of a dotted path as faults name it (`jobs.2.policies.retry`)."""
    wanted = tuple(field.split(".")) if field else ()
    lines = dict(reversed(list(_places(text))))
    return next((lines[wanted[:length]] for length in range(len(wanted), 0, -1) if wanted[:length] in lines), 1)


def _places(text: str) -> Iterator[tuple[_Path, int]]:
    return _in_json(text) if is_json(text) else _in_toml(text)


def _in_toml(text: str) -> Iterator[tuple[_Path, int]]:
    table: _Path = ()
    counted: dict[_Path, int] = {}
    open_string = ""
    for line, words in enumerate(text.splitlines(), 1):
        if not open_string:
            if head := _TABLE.match(words):
                table = _entered(counted, _parts(head[2]), is_list=len(head[1]) == 2)
                yield table, line
            elif assigned := _ASSIGNED.match(words):
                parts = _parts(assigned[1])
                yield from (((*table, *parts[: depth + 1]), line) for depth in range(len(parts)))
        open_string = _string_open_behind(words, open_string)


def _entered(counted: dict[_Path, int], parts: _Path, *, is_list: bool) -> _Path:
    """The path of a table whose name may lead through lists: of a list its newest element is meant."""
    path: _Path = ()
    for depth, part in enumerate(parts, 1):
        path = (*path, part)
        if is_list and depth == len(parts):
            counted[path] = counted.get(path, -1) + 1
        if path in counted:
            path = (*path, str(counted[path]))
    return path


def _parts(keys: str) -> _Path:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, keys))


def _string_open_behind(words: str, mark: str) -> str:
    """Which string of several lines is still open behind this line, by its mark."""
    for found in re.findall(r'"""|\'\'\'', words):
        mark = "" if mark == found else mark or found
    return mark


def _in_json(text: str) -> Iterator[tuple[_Path, int]]:
    path: list[str | int] = []
    line = 1
    key = ""
    begins = False
    for part in _JSON_PART.finditer(text):
        if part[0] == "\n":
            line += 1
            continue
        if begins or (part[0] == ":" and path):
            path[-1] = key if part[0] == ":" else path[-1]
            yield tuple(map(str, path)), line
        begins = False
        match part[0]:
            case "{":
                path.append("")
            case "[":
                path.append(0)
                begins = True
            case "}" | "]":
                path.pop()
            case "," if isinstance(path[-1], int):
                path[-1] += 1
                begins = True
            case _:
                key = part[1] or ""
