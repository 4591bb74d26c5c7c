"""`jobdeck demo`: with a terminal the console on a living world, without one the main job once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.demo.headless import DemoFailed, play_main_job
from agent.demo.world import SHOP_FILE, DemoWorld, open_world
from agent.logging import set_up_logging_to_file
from shared.errors import InvalidInput
from shared.places import socket_path

_LOG = "agent.log"
_BY_SIGNAL = 128
"""Exit codes of programs that a signal has ended begin behind it."""


async def run_demo(*, port: int, keep: Path | None, in_terminal: bool) -> int:
    """Returns the exit code: 0, or 1 with the reason on standard error; 128 and its number after a signal.

    A line that drops, Ctrl-C or TERM takes the world down as leaving does. While it is being made a signal waits: what
    is half made cannot be taken down.
    """
    told = _hear_signals()
    with _folder(keep, in_terminal=in_terminal) as folder:
        set_up_logging_to_file(folder / _LOG)
        print(_about(folder), flush=True)
        world = await open_world(folder, port)
        try:
            return await _until_told(told, _play(world, folder, port, in_terminal=in_terminal))
        finally:
            await world.close()


async def _play(world: DemoWorld, folder: Path, port: int, *, in_terminal: bool) -> int:
    if world.port_was_taken:
        print(f"Port {port} is taken; the demo's agent answers at {world.url} instead.", flush=True)
    if in_terminal:
        return await _open_console(world, folder)
    try:
        await play_main_job(world)
    except DemoFailed as failure:
        print(f"jobdeck demo: {failure}", file=sys.stderr)
        return 1
    return 0


def _hear_signals() -> asyncio.Future[int]:
    """The exit code, when a signal has told to stop."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()

    def hear(number: int) -> None:
        if not told.done():
            told.set_result(_BY_SIGNAL + number)

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hear, number)
    return told


async def _until_told(told: asyncio.Future[int], playing: Coroutine[Any, Any, int]) -> int:
    play = asyncio.create_task(playing)
    await asyncio.wait({told, play}, return_when=asyncio.FIRST_COMPLETED)
    if play.done():
        return play.result()
    play.cancel()
    await asyncio.gather(play, return_exceptions=True)
    return told.result()


async def _open_console(world: DemoWorld, folder: Path) -> int:
    """The console is a process of its own, as it is for every operator."""
    print(
        "Looking after its jobs: a past of some hundreds of runs, each really run, where there is none ...", flush=True
    )
    await world.fill()
    env = {
        **os.environ,
        "JOBDECK_AGENT": str(socket_path(world.agent.settings.data_dir)),
        "JOBDECK_DATA_DIR": str(folder / "agent"),
    }
    console = await asyncio.create_subprocess_exec(sys.executable, "-m", "shared.launcher", env=env)
    return await console.wait()


def _about(folder: Path) -> str:
    if (folder / SHOP_FILE).exists():
        return f"Opening the demo that is kept in {folder} ..."
    return "Building the demo: 20,000 orders, a knowledge base, an agent ..."


@contextmanager
def _folder(keep: Path | None, *, in_terminal: bool) -> Iterator[Path]:
    if keep is not None:
        _make_folder(keep, in_terminal=in_terminal)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="jobdeck-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _make_folder(keep: Path, *, in_terminal: bool) -> None:
    """InvalidInput where something is in the way. Without a terminal the main job begins from nothing."""
    try:
        keep.mkdir(parents=True, exist_ok=True)
        holds = {entry.name for entry in keep.iterdir()}
    except OSError as error:
        raise InvalidInput.one("--keep", f"cannot be used as a folder: {error.strerror}", str(keep)) from None
    if SHOP_FILE in holds and not in_terminal:
        raise InvalidInput.one(
            "--keep", "there is a demo in it, which opens in a terminal; without one, give a new folder", str(keep)
        )
    if holds and not holds & {SHOP_FILE, _LOG}:
        raise InvalidInput.one("--keep", "other things are in it; give a new folder, or one of a demo", str(keep))
