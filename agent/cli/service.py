"""What an agent tells the service manager that started it: sd_notify(3), a datagram to the socket that it names."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping

from shared.errors import JobdeckError

Ping = Callable[[], Awaitable[None]]
"""Asks the store to write and read."""


class ServiceManager:
    """Silent where nobody asked to be told. The invitation is taken out of the environment: it is not for the workers."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._address = environment.pop("NOTIFY_SOCKET", "")
        self._interval = _interval(environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", ""))
        self._watching: asyncio.Task[None] | None = None

    def ready(self, ping: Ping) -> None:
        """The agent answers. From now on, where it was asked for, a sign of life for as long as the store replies."""
        self._tell("READY=1", "STATUS=working")
        if self._address and self._interval:
            self._watching = asyncio.create_task(self._watch(ping, self._interval / 2), name="watchdog")

    def stopping(self) -> None:
        """It ends by itself now; how long that may take is the manager's to judge."""
        if self._watching is not None:
            self._watching.cancel()
        self._tell("STOPPING=1", "STATUS=letting running work end")

    async def _watch(self, ping: Ping, seconds: float) -> None:
        """A store that refuses (the disk is full) has replied: another process would get the same reply, and a restart
        would cost the runs. One that does not reply in time gets no sign of life, and the manager acts."""
        while True:
            try:
                async with asyncio.timeout(seconds):
                    await ping()
                self._tell("WATCHDOG=1", "STATUS=working")
            except JobdeckError as error:
                self._tell("WATCHDOG=1", f"STATUS={error.message}")
            except TimeoutError:
                self._tell("STATUS=the store does not reply")
            await asyncio.sleep(seconds)

    def _tell(self, *words: str) -> None:
        if not self._address:
            return
        # a name that begins with @ lies in the abstract namespace
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
            door.setblocking(False)
            try:
                door.sendto("\n".join(words).encode(), address)
            except OSError:  # a manager that is gone or busy is not the agent's trouble
                return


def _interval(microseconds: str, pid: str) -> float:
    """Seconds within which a sign of life is expected; 0 for none, or if it is another process's duty."""
    if not microseconds.isdigit() or pid not in ("", str(os.getpid())):
        return 0.0
    return int(microseconds) / 1_000_000
