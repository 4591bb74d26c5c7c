"""Drivers that take too much, hear nothing, or stop themselves in the middle of things. Loaded by agent and workers."""

from __future__ import annotations

import ctypes
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.core.driving import Manifest, RunContext
from agent.drivers.kb_sync.manifest import MANIFEST as KB_SYNC
from agent.resources.knowledge.sync.parameters import SyncParameters

_MB = 10**6
_STRAY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""
"""A detached program that stays until somebody kills it."""


class Excess(BaseModel):
    pids: str = ""
    """A file for the pid of a grandchild that is left in a session of its own, without a mark, deaf to TERM."""
    amount: int = 0


class StoppingSync(SyncParameters):
    moment: str
    said: str
    """A file that says so when it was stopped: it happens once."""


def leave_a_stray(pids: str) -> None:
    if pids:
        subprocess.run([sys.executable, "-I", "-c", _STRAY, pids], env={}, check=True)
        while not Path(pids).exists():
            time.sleep(0.005)  # a driver's own wait, for the state; its run's timeout is the deadline


def hog(context: RunContext, data: Excess) -> dict[str, Any]:
    """Takes that many MB in the worker itself and, if somebody watches, gives nothing back whatever it is told."""
    leave_a_stray(data.pids)
    held: list[bytes] = []
    while data.pids or len(held) < data.amount:
        try:
            if len(held) < data.amount:
                held.append(os.urandom(_MB))
            else:
                time.sleep(60)  # what it does is to stay, until it is killed
        except BaseException:  # it may come before all is taken: together with the stray it is over the limit sooner
            if not data.pids:
                raise
    return {"held": len(held)}


def leak(context: RunContext, data: Excess) -> dict[str, Any]:
    """Opens that many files in the worker itself."""
    leave_a_stray(data.pids)
    for _ in range(data.amount):
        os.open("/", os.O_RDONLY)
    _wait(context, data.pids)
    return {}


def talk(context: RunContext, data: Excess) -> dict[str, Any]:
    """Writes that many lines of 100 bytes."""
    leave_a_stray(data.pids)
    for number in range(data.amount):
        print(f"{number:099}")
    _wait(context, data.pids)
    return {}


def be_deaf(context: RunContext, data: Excess) -> dict[str, Any]:
    """Holds the interpreter's lock for ever: no thread and no handler of a signal gets to work."""
    leave_a_stray(data.pids)
    context.log("deaf")
    context.progress(1, 1)
    context._outbox.flush()  # type: ignore[attr-defined]  # no thread will send it later
    ctypes.PyDLL(None).sleep(600)
    return {}


def wait(context: RunContext, data: Excess) -> dict[str, Any]:
    leave_a_stray(data.pids)
    _wait(context, "stay")
    return {}


def stop_in_sync(context: RunContext, data: StoppingSync) -> dict[str, Any]:
    """`kb-sync`, whose process is stopped by SIGSTOP at one moment of its first attempt."""
    from agent.resources.knowledge import opening
    from agent.resources.knowledge.sync.run import synchronise

    stop = _Stop(Path(data.said), data.moment)
    opened: Callable[[Path], sqlite3.Connection] = opening.open_for_writing

    def traced(folder: Path) -> sqlite3.Connection:
        connection = opened(folder)
        connection.set_trace_callback(stop.see)
        return connection

    opening.open_for_writing = traced
    try:
        result = synchronise(context, data)
    finally:
        opening.open_for_writing = opened
    stop.at("before_finish")
    return result


class _Stop:
    def __init__(self, said: Path, moment: str) -> None:
        self._said = said
        self._moment = moment
        self._rows = 0

    def see(self, statement: str) -> None:
        """A statement is about to be executed."""
        if statement.startswith("INSERT INTO rows "):
            self._rows += 1
            self.at("in_transaction")
        elif statement.startswith("BEGIN") and self._rows:
            self.at("before_batch")

    def at(self, moment: str) -> None:
        if moment == self._moment and not self._said.exists():
            part = self._said.with_suffix(".part")
            part.write_text(str(os.getpid()))
            part.rename(self._said)
            # to this thread: sent to the process, another one might take it up, and this one would go on meanwhile
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _wait(context: RunContext, pids: str) -> None:
    """For ever, if there is somebody to watch."""
    while pids:
        context.cancelled.wait(60)
        context.check_cancelled()


def _manifest(function: Callable[..., dict[str, Any]]) -> Manifest:
    name = function.__name__
    entry = f"{__name__}:{name}"
    return Manifest(type=name.replace("_", "-"), title=name, help=name, parameters=Excess, entry=entry)


MANIFESTS = [
    *map(_manifest, (hog, leak, talk, be_deaf, wait)),
    replace(KB_SYNC, type="stop-in-sync", parameters=StoppingSync, entry=f"{__name__}:stop_in_sync", check=None),
]
