"""`jobdeck` as a process of its own that is there at once: forked from one that has loaded the program already.

    run(["job", "list"], env={"JOBDECK_AGENT": socket}).stdout
    agent = start(["agent", "--data-dir", folder], stdout=log, stderr=log)    # like a subprocess.Popen

Loading takes a second of processor time, and most tests are not about it. Those that are start the command itself:
tests/contract/client/test_launcher.py, tests/architecture/, tests/acceptance/test_demo.py, test_service.py, storm/.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.harness.warm_server import MOST

ROOT = Path(__file__).parents[2]
_DRIVERS = sorted(path.parent.name for path in (ROOT / "agent" / "drivers").glob("*/manifest.py"))
LOADED = (
    "agent.app",
    "agent.cli.commands",
    "agent.cli.foreground",
    "agent.upkeep.backup",
    "agent.upkeep.doctor",
    "agent.upkeep.restore",
    "anyio._backends._asyncio",
    "console.cli.app",
    "console.client.session",
    "console.client.access",
    "console.client.jobs",
    "console.client.runs",
    "console.client.world",
    "httpcore",
    "shared.launcher",
    "typer._adapters",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
    *(f"agent.drivers.{name}.manifest" for name in _DRIVERS),
)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Numpy begins as many as there are cores when it is loaded, and a process with threads cannot be forked."""


class Forked:
    """The part of subprocess.Popen that tests use."""

    def __init__(self, server: _Server, pid: int) -> None:
        self.pid = pid
        self.args: list[str] = []
        self.returncode: int | None = None
        self._server = server

    def poll(self) -> int | None:
        self._server.listen(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        over = time.monotonic() + (timeout if timeout is not None else 1e9)
        while (code := self.poll()) is None:
            left = over - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._server.listen(min(left, 1))
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and the word of it is on its way
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    words: Sequence[str],
    *,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    start_new_session: bool = False,
    module: str = "shared.launcher",
    loaded: tuple[str, ...] = LOADED,
) -> Forked:
    """Start `jobdeck` with these words; streams that are not given lead nowhere, `env` is all of its environment. Another
    `module` may stand for it, by a `main` that returns the exit code; `loaded` is what the process is forked with."""
    request = {
        "words": list(words),
        "env": dict(os.environ if env is None else env),
        "cwd": str(Path.cwd()),
        "session": start_new_session,
        "module": module,
    }
    with Path(os.devnull).open("r+b") as nowhere:
        return _server(loaded).fork(request, [file or nowhere for file in (stdin, stdout, stderr)])


def run(
    words: Sequence[str], *, given: str = "", env: Mapping[str, str] | None = None, timeout: float = 180
) -> subprocess.CompletedProcess[str]:
    """Run `jobdeck` with these words to its end; `given` is what it can read."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(given.encode())
        stdin.seek(0)
        process = start(words, stdin=stdin, stdout=stdout, stderr=stderr, env=env)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, code, _text(stdout), _text(stderr))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class _Server:
    """The loaded process, and what it has told."""

    def __init__(self, loaded: tuple[str, ...]) -> None:
        self._living: dict[int, Forked] = {}
        """By pid, which belongs to another process when this one has ended: a long storm uses them all up."""
        self._begun: list[Forked] = []
        self._lock = threading.RLock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.harness.warm_server", str(theirs.fileno()), *loaded]
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **_ONE_THREAD},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def fork(self, request: dict[str, Any], files: Sequence[IO[bytes]]) -> Forked:
        with self._lock:
            message = json.dumps(request).encode()
            assert len(message) < MOST
            socket.send_fds(self._socket, [message], [file.fileno() for file in files])
            while not self._begun:
                self.listen(60)
            forked = self._begun.pop()
            forked.args = ["jobdeck", *request["words"]]
            return forked

    def listen(self, seconds: float) -> None:
        """Take in what was told; wait for something for that long."""
        with self._lock:
            while select.select([self._socket], [], [], seconds)[0]:
                message = self._socket.recv(MOST)
                assert message, "the process that others are forked from has ended"
                told = json.loads(message)
                if "pid" in told:
                    self._begun.append(Forked(self, told["pid"]))
                    self._living[told["pid"]] = self._begun[-1]
                else:
                    self._living.pop(told["ended"]).returncode = told["code"]
                seconds = 0

    def close(self) -> None:
        self._socket.close()
        self._process.wait(30)


@cache
def _server(loaded: tuple[str, ...]) -> _Server:
    server = _Server(loaded)
    atexit.register(server.close)
    return server
