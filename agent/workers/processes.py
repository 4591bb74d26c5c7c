"""Processes as the kernel lists them: who descends from whom, who carries a run's mark, and signals that hit no other.

Linux reads /proc; elsewhere psutil does. Imported by the keeper, so it costs next to nothing to load.
A process is (pid, start): a pid alone may have been given to another one meanwhile.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

LINUX = sys.platform == "linux"
RUN_MARK = "JOBDECK_RUN"
"""Environment variable that every process of a run inherits; a worker bears it itself while it has the run."""
WORKER_MODULE = "agent.workers.main"
NO_RUN = " " * 36
"""What the mark says in a worker without a run: room for an id."""
AGENT_MARK = "JOBDECK_WORKER_OF"
"""Environment variable of workers and all they start: `pid.start@data folder` of their agent."""

_PR_SET_CHILD_SUBREAPER = 36


class Process(NamedTuple):
    pid: int
    parent: int
    start: float
    """Ticks since boot on Linux, seconds elsewhere; only ever compared for equality."""
    zombie: bool
    group: int = 0
    session: int = 0
    stopped: bool = False
    """By a signal: it goes on only when somebody sends CONT."""


def adopt_orphans() -> bool:
    """Make this process the one that orphans among its descendants are given to. False: this system cannot (macOS)."""
    if not LINUX:
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def find(pid: int) -> Process | None:
    """The process that has this pid now."""
    return _read(pid) if LINUX else _ask(pid)


def table() -> dict[int, Process]:
    """All processes, by pid."""
    return {process.pid: process for pid in _pids() if (process := find(pid)) is not None}


def descendants(root: int, processes: dict[int, Process]) -> list[Process]:
    """Children of `root`, their children and so on, zombies left out: they run no code any more."""
    return [process for process in family(root, processes) if not process.zombie]


def family(root: int, processes: dict[int, Process]) -> list[Process]:
    """Children of `root`, their children and so on, the dead that nobody has collected included."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [root]
    while waiting:
        below = children.pop(waiting.pop(), [])
        found += below
        waiting += [process.pid for process in below]
    return found


def adopted(table: dict[int, Process]) -> list[Process]:
    """Children that this process did not start itself: a child of one's own has one's session, or leads one.

    An orphan that leads a session passes for a child of one's own: rather one too few than a wrong one.
    """
    me, session = os.getpid(), os.getsid(0)
    return [p for p in table.values() if p.parent == me and p.session not in (0, session, p.pid)]


def marked(run_ids: Collection[str], processes: Iterable[Process]) -> list[Process]:
    """Those that carry the mark of one of these runs. Processes of other users cannot be looked into."""
    wanted = set(run_ids)
    return [process for process in processes if not process.zombie and _mark(process.pid) in wanted]


def is_kept_worker(process: Process) -> bool:
    """A worker of some agent whose keeper lives: what it leaves is in good hands."""
    return _has_worker_code(process.pid) and _has_worker_code(process.parent)


class VisibleMark:
    """This process's own mark, where others see it: the kernel shows the environment as it was at the start, so the
    start left room for it (NO_RUN), and it is written there in place."""

    def __init__(self) -> None:
        self._shown: memoryview | None = None
        if LINUX and os.environ.get(RUN_MARK) == NO_RUN:
            library = ctypes.CDLL(None)
            library.getenv.restype = ctypes.c_void_p
            place = (ctypes.c_char * len(NO_RUN)).from_address(library.getenv(RUN_MARK.encode()))
            self._shown = memoryview(place).cast("B")
        os.environ.pop(RUN_MARK, None)  # goes from the list; what the kernel shows stays where it is

    def bear(self, run_id: str) -> None:
        os.environ[RUN_MARK] = run_id
        self._write(run_id)

    def lay_down(self) -> None:
        """Where others see it: between runs nothing is started that could inherit it."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._shown is not None:
            self._shown[:] = text.encode()[: len(NO_RUN)].ljust(len(NO_RUN))


def environment(pid: int) -> dict[str, str]:
    """The environment that the process was started with; empty if it is gone or not ours to read."""
    if not LINUX:
        return _ask_environment(pid)
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 (pathlib would cost the keeper its lightness)
            content = os.fsdecode(file.read())
    except OSError:
        return {}
    return dict(entry.partition("=")[::2] for entry in content.split("\0") if "=" in entry)


def send(process: Process, number: int) -> bool:
    """Signal exactly this process, never a later one with its pid. False: it is gone, or not ours to signal."""
    try:
        if not hasattr(signal, "pidfd_send_signal"):
            return _is_same(process) and _kill(process.pid, number)
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        if not _is_same(process):
            return False
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def terminate(process: Process) -> bool:
    """TERM, and CONT after it: a stopped process would not get to see it."""
    sent = send(process, signal.SIGTERM)
    return sent and (send(process, signal.SIGCONT) or sent)


def _mark(pid: int) -> str | None:
    mark = environment(pid).get(RUN_MARK)
    return mark.strip() if mark is not None else None


def _has_worker_code(pid: int) -> bool:
    """Workers and keepers; the program that a worker starts is one too, for the moment before it becomes another."""
    if not LINUX:
        return False
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 (as above)
            return WORKER_MODULE.encode() in file.read().split(b"\0")[:6]
    except OSError:
        return False


def _is_same(process: Process) -> bool:
    now = find(process.pid)
    return now is not None and now.start == process.start


def _kill(pid: int, number: int) -> bool:
    os.kill(pid, number)
    return True


def _pids() -> Iterator[int]:
    if LINUX:
        return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 (as above)
    import psutil  # type: ignore[import-untyped]

    return iter(psutil.pids())


def _read(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (as above)
            line = file.read()
    except OSError:
        return None
    # the name stands in parentheses and may hold anything, parentheses included
    fields = line[line.rindex(b")") + 2 :].split()
    state = fields[0]
    return Process(
        pid=pid,
        parent=int(fields[1]),
        start=float(fields[19]),
        zombie=state in (b"Z", b"X"),
        group=int(fields[2]),
        session=int(fields[3]),
        stopped=state == b"T",
    )


def _ask(pid: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            state = process.status()
            return Process(
                pid=pid,
                parent=process.ppid(),
                start=process.create_time(),
                zombie=state == psutil.STATUS_ZOMBIE,
                group=os.getpgid(pid),
                session=os.getsid(pid),
                stopped=state == psutil.STATUS_STOPPED,
            )
    except (psutil.Error, OSError):
        return None


def _ask_environment(pid: int) -> dict[str, str]:
    import psutil

    try:
        return dict(psutil.Process(pid).environ())
    except (psutil.Error, OSError):
        return {}
