"""The word that begins an order: said by whoever knows first that it may."""

from __future__ import annotations

import contextlib
import socket
import threading


class Word:
    """Said once. Another thread may `say` it until the loop has taken it."""

    def __init__(self, line: bytes, link: socket.socket | None) -> None:
        """`link`: a way to the worker that no other line is on, and that does not block; None: only the loop has one."""
        self._line = line
        self._unsaid = line
        self._link = link
        self._turn = threading.Lock()

    def say(self) -> None:
        with self._turn:
            link, self._link = self._link, None
            if link is not None:
                with contextlib.suppress(OSError):  # no room, or nobody there: the loop says it, or hears of it
                    self._unsaid = self._unsaid[link.send(self._unsaid) :]

    def is_said(self) -> bool:
        """Or begun. Who is about to say that it was, is waited for: the worker may have answered already."""
        with self._turn:
            return self._unsaid != self._line

    def take(self) -> bytes:
        """What is left to be said of it, from now on by the caller alone."""
        with self._turn:
            self._link = None
            return self._unsaid
