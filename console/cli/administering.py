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
from shared.places import store_path

T = TypeVar("T")
_PATIENCE = 120.0
"""For an agent that is to start, on a machine that is busy enough for somebody to look: it tells by itself what fails."""
_LOOK_EVERY = 0.02


def administer(work: Callable[[AgentClient], Awaitable[T]], *, sets_up: bool = False) -> T:
    """As `call`; and with a local agent that does not run, the work is done by one in maintenance. What `sets_up` makes
    something that others build on, so it begins with an empty store where there is none; a question about what is not
    there makes none."""
    target = the_target()
    await_start(target)
    with _some_agent(target, sets_up=sets_up):
        return call(work)


@contextmanager
def _some_agent(target: Target, *, sets_up: bool) -> Iterator[None]:
    if target.socket is None or target.socket.parts[-2:] != ("run", "agent.sock") or _answers(target.socket):
        yield
        return
    data_dir = target.socket.parents[1]
    if not (sets_up or store_path(data_dir).exists()):
        yield
        return
    with tempfile.TemporaryFile("w+") as told:
        process = _start(data_dir, told)
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
