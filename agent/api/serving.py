"""Listening: one TCP address and one Unix socket before the same app, and an end to both within a second."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from agent.api.connections import Connection, Unambiguous, cut_late
from agent.api.context import Api
from agent.api.peers import ArrivingBy, Channel
from agent.settings import Settings
from shared.errors import Conflict, InvalidInput, JobdeckError, Unavailable
from shared.sockets import way_to

Door = socket.socket
_BACKLOG = 128
"""Connections that wait; as many are accepted at once, before any of them can be refused."""
_LOOKS_EVERY = 5.0
"""Seconds between two looks whether the socket is there."""
_ENDING = 0.5
"""Seconds that answers under way get when the agent stops."""

_log = structlog.get_logger()


@dataclass(slots=True)
class Listener:
    """An agent's open doors. `url` is None where only the socket is open."""

    url: str | None
    socket: Path
    port: int | None
    _app: FastAPI
    _group: bool
    _made: int
    _servers: list[_Server] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _minding: asyncio.Task[None] | None = None

    async def open(self, door: Door, channel: Channel) -> None:
        """Answer there; returns when it does."""
        server = _Server(Unambiguous(ArrivingBy(self._app, channel)))
        self._servers.append(server)
        self._tasks.append(asyncio.create_task(server.serve([door]), name=f"http-{channel}"))
        await server.listening.wait()

    def mind_socket(self) -> None:
        """From now on it is put back where somebody clears its folder."""
        self._minding = asyncio.create_task(self._mind_socket(), name="socket")

    async def stop(self) -> None:
        """Accept nothing more, end the streams, give answers half a second, then cut what is left."""
        if self._minding is not None:
            self._minding.cancel()
        api: Api = self._app.state.api
        api.broadcast.close()
        for server in self._servers:
            server.leave()
        await asyncio.wait(self._tasks, timeout=_ENDING)
        for server in self._servers:
            server.cut()
        await asyncio.gather(*self._tasks)
        self._remove_socket()

    async def _mind_socket(self) -> None:
        """Whoever asked would be told that no agent runs here. Who is connected stays so, by the door that was there."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY)
            if self.socket.exists() or not self.socket.parents[1].is_dir():
                continue
            try:
                door = _bind_socket(self.socket, group=self._group)
            except (JobdeckError, OSError) as error:
                _log.warning("socket_was_removed", socket=str(self.socket), why_it_is_not_back=str(error))
                continue
            self._made = _inode(self.socket)
            await self.open(door, Channel.SOCKET)
            _log.warning("socket_was_removed", socket=str(self.socket), now="it is back")

    def _remove_socket(self) -> None:
        """Unless another agent has put its own there meanwhile."""
        with contextlib.suppress(FileNotFoundError):
            if _inode(self.socket) == self._made:
                self.socket.unlink()


async def serve(app: FastAPI, settings: Settings, socket_path: Path) -> Listener:
    """Listen on `settings.bind` (port 0: a free one) and on the socket; returns when both answer.

    Unavailable if the address is taken or not this machine's; Conflict if an agent answers on the socket already;
    InvalidInput if others could reach into the socket's folder.
    """
    tcp = _bind_tcp(settings.host, settings.port) if settings.bind else None
    try:
        local = _bind_socket(socket_path, group=settings.socket_group_access)
    except BaseException:
        if tcp is not None:
            tcp.close()
        raise
    doors = [(local, Channel.SOCKET)] + ([(tcp, Channel.TCP)] if tcp else [])
    port = tcp.getsockname()[1] if tcp else None
    url = f"http://{_authority(settings.host, port)}" if port else None
    listener = Listener(url, socket_path, port, app, settings.socket_group_access, _inode(socket_path))
    await asyncio.gather(*(listener.open(door, channel) for door, channel in doors))
    listener.mind_socket()
    return listener


class _Server(uvicorn.Server):
    """Uvicorn without its own ideas about signals: the agent has its own."""

    def __init__(self, app: Unambiguous) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self.listening = asyncio.Event()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Uvicorn's own looks ten times a second, which is most of what an idle agent does; the Date header, once."""
        while not await self.on_tick(0):
            cut_late(self.server_state.connections, asyncio.get_running_loop().time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def cut(self) -> None:
        """Close what is still connected, whether or not the other side reads."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _bind_tcp(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Without the protocol asyncio does not see that this is TCP, and leaves small answers waiting 40 ms (Nagle).
        door = socket.socket(family, kind, protocol)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise InvalidInput.one("bind", f"'{host}' is no address of this machine: {error.strerror}", host) from None
    try:
        door.bind(address)
        door.listen(_BACKLOG)
    except OSError as error:
        door.close()
        if error.errno == errno.EADDRINUSE:
            message = f"{_authority(host, port)} is in use by another program; choose another with --bind HOST:PORT"
            raise Unavailable(message) from None
        raise Unavailable(f"cannot listen on {_authority(host, port)}: {error.strerror}") from None
    door.setblocking(False)
    return door


def _bind_socket(path: Path, *, group: bool) -> socket.socket:
    """A socket that only its owner (and, by setting, its group) can open. A stale one is removed only if nobody
    answers on it."""
    _prepare_folder(path.parent, group=group)
    if path.is_socket():
        if _answers(path):
            raise Conflict(f"an agent is listening on {path} already; stop it first (`fuser {path}` names it)")
        path.unlink()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        door.bind(way_to(path))
        path.chmod(0o660 if group else 0o600)
        door.listen(_BACKLOG)
    except OSError as error:
        door.close()
        raise Unavailable(f"cannot listen on {path}: {error.strerror or error}") from None
    door.setblocking(False)
    return door


def _prepare_folder(folder: Path, *, group: bool) -> None:
    wanted = 0o750 if group else 0o700
    folder.mkdir(mode=wanted, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise InvalidInput.one("socket", f"the folder {folder} belongs to another user")
    if stat.S_IMODE(found.st_mode) & ~wanted:
        raise InvalidInput.one("socket", f"others can reach into {folder}; run 'chmod {wanted:o} {folder}'")


def _answers(path: Path) -> bool:
    """False only if the kernel says that nobody holds it: who is too busy to answer is there all the same."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(way_to(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except BlockingIOError:
            return True
    return True


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _authority(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
