"""Events to a hundred listeners: from their commit to the last byte read by all. Beside a bare Starlette route that
sends the same frames, from a queue for each listener."""

from __future__ import annotations

import asyncio
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from benchmarks.pairs import Comparison, Measure, compare
from benchmarks.queries import free_port

LISTENERS = 100
EVENTS = 1000
_PAIRS = 7
_LONGEST = 60.0
"""Seconds until all have read the last of them; a silence would be broken by what keeps the streams alive."""
_LONGEST_MARK = 64


async def measure() -> list[Comparison]:
    """Seconds for each event."""
    with _streams("agent") as ours, _streams("bare") as bare:
        name = f"an event to {LISTENERS} listeners"
        return [await compare(name, ours.sent(), "a bare Starlette route", bare.sent(), pairs=_PAIRS)]


class _Streams:
    def __init__(self, process: subprocess.Popen[str], listeners: Sequence[socket.socket]) -> None:
        self._process = process
        self._listeners = listeners
        self._times = 0

    def sent(self) -> Measure:
        async def measured() -> float:
            return await asyncio.to_thread(self._send) / EVENTS

        return measured

    def _send(self) -> float:
        self._times += 1
        mark = f"last-of-{self._times}-"
        assert self._process.stdin is not None
        began = time.perf_counter()
        self._process.stdin.write(f"{EVENTS} {mark}\n")
        self._process.stdin.flush()
        self._read_until(mark.encode())
        return time.perf_counter() - began

    def _read_until(self, mark: bytes) -> None:
        """By every listener."""
        tails = dict.fromkeys(self._listeners, b"")
        with selectors.DefaultSelector() as waiting:
            for listener in self._listeners:
                waiting.register(listener, selectors.EVENT_READ)
            deadline = time.monotonic() + _LONGEST
            while tails:
                ready = waiting.select(max(0.0, deadline - time.monotonic()))
                for key, _ in ready:
                    listener = cast("socket.socket", key.fileobj)
                    got = listener.recv(1 << 18)
                    seen = tails[listener] + got
                    if mark in seen:
                        waiting.unregister(listener)
                        del tails[listener]
                    else:
                        tails[listener] = seen[-_LONGEST_MARK:]
                    if not got:
                        raise RuntimeError("a stream ended")
                if not ready:
                    raise RuntimeError(f"{len(tails)} of {LISTENERS} listeners wait for the last event")


@contextmanager
def _streams(which: str) -> Iterator[_Streams]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder, ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.peers.event_streams", which, str(port), str(Path(folder, "agent"))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        stack.callback(process.wait)
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdin.close)
        token = process.stdout.readline().strip()
        yield _Streams(process, [stack.enter_context(_listener(port, token)) for _ in range(LISTENERS)])


def _listener(port: int, token: str) -> socket.socket:
    listener = socket.create_connection(("127.0.0.1", port))
    asked = f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
    listener.sendall(asked.encode())
    seen = b""
    while b"retry:" not in seen:
        got = listener.recv(65536)
        if not got:
            raise RuntimeError(f"no stream: {seen.decode()}")
        seen += got
    return listener
