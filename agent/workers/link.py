"""The agent's end of a socket pair to a worker or its keeper: lines in, read no faster than they are taken; lines out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import cast

HIGH = 1024 * 1024
"""Bytes waiting to be taken at which reading pauses: the back pressure on the other side."""
LOOK = 0.01
"""Seconds between two looks at what is gathered: what a socket holds is more than a worker says meanwhile."""
LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of one line: beyond it the other side is broken."""


class Link(asyncio.Protocol):
    """Lines of one connection. `async for` ends when the other side has closed or `drain` was called."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._transport: asyncio.Transport | None = None
        self._lines: deque[bytes] = deque()
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._waiting = 0
        self._outgoing: list[bytes] = []
        self._arrived = asyncio.Event()
        self._over = False
        self._enough = 1
        """So many lines are taken in before the first of them is handed out."""
        self._have_enough: Callable[[], None] | None = None
        self._gathering: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, end: socket.socket) -> Link:
        end.setblocking(False)
        link = cls(end)
        await asyncio.get_running_loop().create_connection(lambda: link, sock=end)
        return link

    def write(self, line: bytes) -> None:
        """Send without waiting, together with what else is written in this turn of the loop; nothing happens if the
        other side is gone."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._send)
        self._outgoing.append(line)

    def write_now(self, line: bytes) -> bool:
        """The same without waiting for the end of this turn: straight into the socket, if nothing is before it. Whether
        it is there."""
        transport = self._transport
        if self._outgoing or transport is None or transport.is_closing() or transport.get_write_buffer_size():
            self._outgoing.append(line)
            self._send()
            return False
        try:
            sent = self._socket.send(line)
        except OSError:  # no room, or nobody there: the transport waits, or hears of it
            sent = 0
        if sent < len(line):
            transport.write(line[sent:])
        return sent == len(line)

    def gather(self, lines: int, seconds: float, enough: Callable[[], None]) -> None:
        """Hand out nothing before `end_gathering`, at most for so long, and look for lines now and then only: who is woken
        by each would be in the way of who sends them. `enough` is called when that many are there, or no more come."""
        self.end_gathering()
        if self._over or self._transport is None or self._transport.is_closing():
            enough()
            return
        self._enough, self._have_enough = lines, enough
        self._transport.pause_reading()
        self._look_after(LOOK, asyncio.get_running_loop().time() + seconds)

    def end_gathering(self) -> None:
        """Hand out what is there, and from now on each line as it comes."""
        if self._gathering is not None:
            self._gathering.cancel()
        self._gathering, self._enough = None, 1
        self._tell_enough()
        self._arrived.set()
        self._resume()

    def drain(self) -> None:
        """The other side is dead, though something may hold its end open: take what it sent, expect no more."""
        if self._over:
            return
        if self._transport is not None:
            self._transport.pause_reading()
        with contextlib.suppress(OSError):  # BlockingIOError: that was all
            while data := self._socket.recv(1 << 18):
                self._receive(data)
        self.close()

    def close(self) -> None:
        self._finish()
        if self._transport is not None:
            self._transport.abort()

    def __aiter__(self) -> Link:
        return self

    async def __anext__(self) -> bytes:
        while not self._lines or self._gathering is not None:
            if self._over:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        line = self._lines.popleft()
        self._waiting -= len(line)
        self._resume()
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._receive(data)
        if self._transport is not None and (self._waiting > HIGH or self._gathering is not None):
            self._transport.pause_reading()

    def connection_lost(self, _reason: Exception | None) -> None:
        self._finish()

    def _send(self) -> None:
        lines, self._outgoing = self._outgoing, []
        if lines and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(lines))

    def _receive(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._rest, lines[0]])
            self._rest, self._rest_size = [], 0
            self._lines.extend(lines)
            self._waiting += sum(map(len, lines))
            if self._gathering is None:
                self._arrived.set()
            elif len(self._lines) >= self._enough:
                self._tell_enough()
        if rest:
            self._rest.append(rest)
            self._rest_size += len(rest)
            if self._rest_size > LINE_LIMIT:
                self.close()

    def _tell_enough(self) -> None:
        tell, self._have_enough = self._have_enough, None
        if tell is not None:
            tell()

    def _resume(self) -> None:
        transport = self._transport
        if self._over or transport is None or transport.is_closing() or transport.is_reading():
            return
        if self._waiting < HIGH // 2:
            transport.resume_reading()

    def _look_after(self, seconds: float, until: float) -> None:
        self._gathering = asyncio.get_running_loop().call_later(seconds, self._look, until)

    def _look(self, until: float) -> None:
        left = until - asyncio.get_running_loop().time()
        if left <= 0 or self._waiting > HIGH or self._transport is None or self._transport.is_closing():
            self.end_gathering()
            return
        self._transport.resume_reading()
        self._look_after(min(LOOK, left), until)

    def _finish(self) -> None:
        self._over = True
        self.end_gathering()
