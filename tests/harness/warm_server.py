"""The process that `warm_start` forks from: it has loaded Jobdeck, has one thread and does nothing of its own.

A datagram on its socket asks for a process: `{"words", "env", "cwd", "session", "module"}` and three files for its standard
streams; `module` has the `main` that is called. It loads the modules that are named behind its socket.
It answers `{"pid"}`, and `{"ended", "code"}` when that process is over. It ends with the socket.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import socket
import sys
import termios
import threading
from pathlib import Path
from typing import Any, NoReturn

MOST = 1 << 17
_MOST_FILES = 1 << 12


def main() -> int:
    requests = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()  # a look at what is loaded would copy it into each process
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a process with threads cannot be forked safely"
    running: dict[int, int] = {}
    """The descriptor of each process, and its id."""
    while True:
        for ready in select.select([requests, *running], [], [])[0]:
            if ready is not requests:
                _tell_end(requests, ready, running.pop(ready))
                continue
            message, files, _, _ = socket.recv_fds(requests, MOST, 3)
            if not message:
                return 0
            request = json.loads(message)
            pid = os.fork()
            if pid == 0:
                _become(request, files)
            for file in files:
                os.close(file)
            running[os.pidfd_open(pid)] = pid
            requests.send(json.dumps({"pid": pid}).encode())


def _tell_end(requests: socket.socket, descriptor: int, pid: int) -> None:
    os.close(descriptor)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):  # if nobody asks any more, the next look at the socket says so
        requests.send(json.dumps({"ended": pid, "code": code}).encode())


def _become(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Be `jobdeck` with these words, as if it had just been loaded."""
    if request["session"]:
        os.setsid()
    for stream, file in enumerate(files):
        os.dup2(file, stream)
    if request["session"] and os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.closerange(3, _MOST_FILES)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["jobdeck", *request["words"]]
    code = importlib.import_module(request["module"]).main()
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter ends, but for taking down what is loaded
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
