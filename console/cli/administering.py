"""Commands that set an agent up work whether or not it runs: where none does, one is started that only answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from console.cli.calling import await_start, call, the_target
from console.client import AgentClient, Target
from shared.errors import Unavailable

T = TypeVar("T")
_PATIENCE = 120.0
"""For an agent that is to start, on a machine that is busy enough for somebody to look: it tells by itself what fails."""
_LOOK_EVERY = 0.02


def administer(work: Callable[[AgentClient], Awaitable[T]]) -> T:
    """As `call`; and with a local agent that does not run, the work is done by one in maintenance."""
    target = the_target()
    await_start(target)
    with _some_agent(target):
        return call(work)


@contextmanager
def _some_agent(target: Target) -> Iterator[None]:
    if target.socket is None or target.socket.parts[-2:] != ("run", "agent.sock") or _answers(target.socket):
        yield
        return
    with tempfile.TemporaryFile("w+") as told:
        process = _start(target.socket.parents[1], told)
        try:
            _wait(process, target.socket, told)
            yield
        finally:
            process.terminate()
            process.wait()


def _start(data_dir: Path, told: IO[str]) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "shared.launcher", "agent", "--maintenance", "--data-dir", str(data_dir)]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=told, stderr=told, env=dict(os.environ))  # noqa: S603  (our own interpreter and module)


def _wait(process: subprocess.Popen[bytes], path: Path, told: IO[str]) -> None:
    over = time.monotonic() + _PATIENCE
    while not _answers(path):
        if process.poll() is not None or time.monotonic() > over:
            told.seek(0)
            said = (told.read().strip().splitlines() or ["it said nothing"])[-1]
            last = said if process.poll() is not None else f"it did not answer within {_PATIENCE:g} s"
            raise Unavailable(f"no agent answers on {path}, and none could be started: {last}")
        time.sleep(_LOOK_EVERY)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
