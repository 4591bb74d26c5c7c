"""A sync or reset in a process of its own, to be killed: says each batch on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.contract.drivers.kb_world import KbWorld


def main() -> None:
    order = json.loads(sys.argv[1])
    world = KbWorld(Path(order["folder"]), order["url"])
    context = world.context(order["run_id"])
    context.on_progress = lambda done, _total: print(done, flush=True)
    context.on_log = lambda text: print(text, flush=True)
    result = getattr(world, order["act"])(context, **order["parameters"])
    print("result", json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
