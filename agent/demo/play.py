"""`jobdeck demo`: with a terminal the console on a living world, without one the main job once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.demo.headless import DemoFailed, play_main_job
from agent.demo.world import DemoWorld, open_world
from agent.logging import set_up_logging_to_file
from shared.places import socket_path

_TOLD_TO_STOP = 143


async def run_demo(*, port: int, keep: Path | None, in_terminal: bool) -> int:
    """Returns the exit code: 0, or 1 with the reason on standard error."""
    _stop_on_signals()
    with _folder(keep) as folder:
        set_up_logging_to_file(folder / "agent.log")
        print("Building the demo: 20,000 orders, a knowledge base, an agent ...", flush=True)
        world = await open_world(folder, port)
        try:
            if world.port_was_taken:
                print(f"Port {port} is taken; the demo's agent answers at {world.url} instead.", flush=True)
            if in_terminal:
                return await _open_console(world, folder)
            await play_main_job(world)
        except DemoFailed as failure:
            print(f"jobdeck demo: {failure}", file=sys.stderr)
            return 1
        except asyncio.CancelledError:
            return _TOLD_TO_STOP
        finally:
            await world.close()
    return 0


def _stop_on_signals() -> None:
    """A line that drops or a TERM takes the world down as leaving does: nothing of it stays behind."""
    playing = asyncio.current_task()
    assert playing is not None
    for number in (signal.SIGHUP, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)


async def _open_console(world: DemoWorld, folder: Path) -> int:
    """The console is a process of its own, as it is for every operator."""
    print("Making a past: some hundreds of runs, each really run ...", flush=True)
    await world.fill()
    env = {
        **os.environ,
        "JOBDECK_AGENT": str(socket_path(world.agent.settings.data_dir)),
        "JOBDECK_DATA_DIR": str(folder / "agent"),
    }
    console = await asyncio.create_subprocess_exec(sys.executable, "-m", "shared.launcher", env=env)
    return await console.wait()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="jobdeck-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
