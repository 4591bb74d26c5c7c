"""A driver that does nothing, as a plug-in of the bench alone: what a run costs besides its work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.core.driving import Manifest, RunContext


class NoParameters(BaseModel):
    pass


def run(_context: RunContext, _parameters: NoParameters) -> dict[str, Any]:
    return {}


MANIFEST = Manifest(
    type="noop",
    title="Nothing",
    help="Does nothing.",
    parameters=NoParameters,
    entry="benchmarks.noop:run",
)


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """The driver as if a package had brought it: agents opened within know it."""
    package = folder / "jobdeck_noop-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: jobdeck-noop\nVersion: 1\n")
    (package / "entry_points.txt").write_text(f"[jobdeck.drivers]\nnoop = {__name__}:MANIFEST\n")
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
