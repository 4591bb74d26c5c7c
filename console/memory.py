"""What the console remembers between two starts: for each agent the view and the order of each list.

A file for each agent in the state folder. It is no truth: one that cannot be read means the defaults, and one that
cannot be written is told once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shared import places
from shared.errors import JobdeckError

_MOST = 100_000
"""Bytes of such a file; a longer one is none of ours."""


class Memory:
    """`fault` says what went wrong with the file, once; empty: nothing."""

    def __init__(self, path: Path | None = None) -> None:
        """`path` None: nothing is remembered, as for who has no home."""
        self._path = path
        self.fault = ""
        self._lists: dict[str, dict[str, str]] = self._read()

    def list(self, name: str) -> Mapping[str, str]:
        """What was said of that list last."""
        return self._lists.get(name, {})

    def keep(self, name: str, **said: str) -> None:
        """Written at once: the line may be cut at any moment."""
        known = self._lists.get(name, {})
        if known | said == known:
            return
        self._lists[name] = known | said
        self._write()

    def _read(self) -> dict[str, dict[str, str]]:
        if self._path is None:
            return {}
        try:
            with self._path.open("rb") as file:
                data = json.loads(file.read(_MOST))
            return _checked(data)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            self.fault = f"what was remembered cannot be read, so it begins anew: {self._path}"
            return {}

    def _write(self) -> None:
        """Beside it first: a console that reads meanwhile finds the one or the other."""
        if self._path is None:
            return
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.write_text(json.dumps({"lists": self._lists}, indent=1), encoding="utf-8")
            aside.replace(self._path)
        except OSError as error:
            self.fault = f"cannot be remembered for the next start: {self._path}: {error.strerror}"
            self._path = None


def memory_of(profile: str, environ: Mapping[str, str]) -> Memory:
    """That of one agent, by the name of its context or its address."""
    try:
        folder = places.console_state_dir(environ)
    except JobdeckError:
        return Memory()
    return Memory(folder / f"{quote(profile, safe='')[:200]}.json")


def _checked(data: Any) -> dict[str, dict[str, str]]:
    """ValueError where it is not what `_write` writes; names that are gone are the lists' own to leave out."""
    lists = data.get("lists") if isinstance(data, dict) else None
    if not isinstance(lists, dict) or not all(isinstance(said, dict) for said in lists.values()):
        raise ValueError("not what the console writes")
    return {name: {key: value for key, value in said.items() if isinstance(value, str)} for name, said in lists.items()}
