"""A driver that does next to nothing, as a plug-in of the tests alone: it says in a book when it ran."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.core.driving import Manifest, RunContext


class Stamp(BaseModel):
    book: str


def run(context: RunContext, parameters: Stamp) -> dict[str, Any]:
    with Path(parameters.book).open("a") as book:
        book.write(f"{context.run_id} {context.attempt} {time.time_ns()}\n")
    return {}


MANIFEST = Manifest(type="stamp", title="Stamp", help="Says when it ran.", parameters=Stamp, entry=f"{__name__}:run")


def install(folder: Path) -> None:
    """As if a package had brought it: agents with `folder` on their path know it."""
    package = folder / "jobdeck_stamp-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: jobdeck-stamp\nVersion: 1\n")
    (package / "entry_points.txt").write_text(f"[jobdeck.drivers]\nstamp = {__name__}:MANIFEST\n")
