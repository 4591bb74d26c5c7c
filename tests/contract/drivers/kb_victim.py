"""A sync, reset or other act on a knowledge base in a process of its own, to be killed: says each batch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Any

from tests.contract.drivers.kb_world import KbWorld
from tests.harness.victim import Victim


def start(world: KbWorld, act: str, run_id: str, *, stderr: IO[bytes] | None = None, **parameters: Any) -> Victim:
    order = {"folder": str(world.folder), "url": world.url, "act": act, "run_id": run_id, "parameters": parameters}
    return Victim(__name__, order, stderr=stderr)


def main() -> int:
    order = json.loads(sys.argv[1])
    world = KbWorld(Path(order["folder"]), order["url"])
    context = world.context(order["run_id"])
    context.on_progress = lambda done, _total: print(done, flush=True)
    context.on_log = lambda text: print(text, flush=True)
    result = getattr(world, order["act"])(context, **order["parameters"])
    print("result", json.dumps(result), flush=True)
    return 0
