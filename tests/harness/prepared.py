"""A store that has had its migrations: made once in a process, copied for each test that is not about making it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from agent.store import STORE_FILE, schema
from agent.store.engine.engine import open_writer


def prepare(path: Path) -> Path:
    """Put an empty store there, if there is none: its tables and nothing else, so that whoever opens it first makes
    it its own. Returns `path`."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(_made(), path)
    return path


def prepare_folder(data_dir: Path) -> Path:
    """The same for an agent's folder; returns `data_dir`."""
    prepare(data_dir / STORE_FILE)
    return data_dir


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="jobdeck-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / STORE_FILE
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = open_writer(path)
    with engine.begin() as connection:
        schema.bring_up(connection)
    engine.dispose()
    return path
