"""Listens to `/api/events` as a console does: comes back after every cut with the position that it had reached."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, connect_sse

_PAUSE = 0.05


class Listener:
    """`told` is every event in the order in which it came. Starts from the first event there ever was."""

    def __init__(self, socket: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self.resets = 0
        self.connections = 0
        self._socket = socket
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)

    @property
    def position(self) -> int:
        return self.told[-1]["id"] if self.told else 0

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The stream ends with the agent, which is stopped before."""
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except httpx.TransportError:
                self._stop.wait(_PAUSE)

    def _follow(self) -> None:
        transport = httpx.HTTPTransport(uds=str(self._socket), verify=False)
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=30) as client:
            headers = {"Last-Event-ID": str(self.position)}
            with connect_sse(client, "GET", "/api/events", headers=headers) as source:
                self.connections += 1
                for event in source.iter_sse():
                    self._take(event)

    def _take(self, event: ServerSentEvent) -> None:
        if event.event == "reset":
            self.resets += 1
        elif event.data and event.event != "message":
            self.told.append(json.loads(event.data))
