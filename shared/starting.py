"""An agent that is on its way: who calls it in that moment waits for it.

`jobdeck agent &` and the command after it begin in the same instant, and the socket is there some seconds later. From its first
moment until it answers the agent holds a file in its folder; the kernel lets go of it however the agent ends.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_MARK = "agent.starting"
_LOOK_EVERY = 0.05
"""Seconds between two looks at the lock: the kernel tells of its end only whoever waits for it without end."""


@contextmanager
def starting(data: Path) -> Iterator[Callable[[], None]]:
    """Say so from now on, until what is yielded is called, or to the end. A folder that is made for it remains where something
    was put into it."""
    with ExitStack() as until_told:
        with suppress(OSError):  # the start itself will say what is wrong with the folder
            _say_so(data, until_told)
        yield until_told.close


def wait_for_start(socket: Path, patience: float) -> bool:
    """Wait while an agent that will listen at `socket` is starting, `patience` seconds at most; whether it is over."""
    over = time.monotonic() + patience
    data = socket.parent.parent
    while _is_held(data / _MARK):
        if time.monotonic() > over:
            return False
        time.sleep(_LOOK_EVERY)
    return True


def _say_so(data: Path, until_told: ExitStack) -> None:
    if not data.exists():
        data.mkdir(mode=0o700, parents=True)
        until_told.callback(_remove_empty, data)
    mark = data / _MARK
    file = until_told.enter_context(mark.open("a"))
    fcntl.flock(file, fcntl.LOCK_SH)
    until_told.callback(mark.unlink, missing_ok=True)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _is_held(mark: Path) -> bool:
    try:
        with mark.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
