"""Definitions written to files: nothing that stands there already is left half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from shared.definitions import write
from shared.errors import InvalidInput


def write_text(definitions: list[dict[str, Any]]) -> str:
    """One definition as it is, several under `jobs`."""
    return write(definitions[0] if len(definitions) == 1 else {"jobs": definitions})[0]


def write_files(definitions: dict[str, dict[str, Any]], output: Path) -> int:
    """Into a folder a file each, named by the slug; into one file otherwise. How many were written."""
    try:
        if not _is_folder(output):
            _write(output, write_text(list(definitions.values())))
            return 1
        output.mkdir(parents=True, exist_ok=True)
        for slug, definition in definitions.items():
            text, ending = write(definition)
            _write(output / f"{slug}{ending}", text)
    except OSError as error:
        raise InvalidInput.one("--output", f"cannot be written: {error.strerror}", str(output)) from error
    return len(definitions)


def _is_folder(output: Path) -> bool:
    return output.is_dir() or not output.suffix


def _write(path: Path, text: str) -> None:
    """Aside first, then renamed: a reader sees the old text or the new one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        aside.chmod(0o666 & ~mask)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
