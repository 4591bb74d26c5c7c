"""What a connection writes: an answer's head and body leave in one piece, so who waits for them wakes up once."""

from __future__ import annotations

import asyncio
from typing import Any

_PIECE = 64 * 1024
"""Bytes that wait for more; what is longer leaves as it comes, and the transport says when it is too much."""


class Outgoing:
    """The transport, but for `write`: what is written in one turn of the loop is gathered, until `flush` or its end."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not data:
            return
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > _PIECE:
            self.flush()

    def flush(self) -> None:
        """What was gathered leaves now; what nobody reads any more is dropped."""
        parts, self._parts, self._size = self._parts, [], 0
        if parts and not self._transport.is_closing():
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def close(self) -> None:
        """When all has left."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
