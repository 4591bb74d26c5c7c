"""Start of a worker: the process that is started becomes the keeper, its child the worker.

The split comes before anything heavy is loaded, so that the keeper stays small.
"""

from __future__ import annotations

import json
import os
import socket
import sys

from agent.workers.keeper import keep
from agent.workers.processes import adopt_orphans


def main() -> None:
    settings = json.loads(sys.argv[1])
    link = socket.socket(fileno=settings["link"])
    control = socket.socket(fileno=settings["control"])
    for end in (link, control):
        end.set_inheritable(False)
    adopt_orphans()
    pipes = os.pipe(), os.pipe()
    worker = os.fork()
    if worker:
        link.close()
        for _, writing in pipes:
            os.close(writing)
        keep(worker, control, [reading for reading, _ in pipes])
        return
    control.close()
    adopt_orphans()  # not inherited over fork
    os.setpgid(0, 0)  # a group of its own with what it starts, so that all of it can be hit at one stroke
    sys.path += settings["paths"]
    from agent.workers.work import work

    work(link, settings["preload"], *pipes)


if __name__ == "__main__":
    main()
