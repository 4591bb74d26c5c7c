"""How much memory and how many files a worker and all below it hold, read from the kernel. Light: keepers load it.

Memory is what only the end of a process gives back: anonymous and shared pages, in memory or swapped out, each page of
several processes once (proportional set size). Pages of files are left out: the kernel takes those back by itself. Exact
figures cost a walk over the page tables, so they are asked for only where a cheap upper bound is over the limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from agent.workers import processes
from agent.workers.processes import LINUX

_CHEAP = (b"RssAnon:", b"RssShmem:", b"VmSwap:")
_EXACT = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


class Watch(NamedTuple):
    """What one run may take, beyond what its worker held before it."""

    run: str
    memory: int | None
    open_files: int | None
    memory_before: int
    files_before: int


class Breach(NamedTuple):
    limit: str
    used: int
    own: bool
    """The worker itself is over the limit, not only with what is below it."""


def find_breach(watch: Watch, worker: int, root: int) -> Breach | None:
    """The limit that `worker` and all below `root` are over together; `root` itself is not counted."""
    pids = list(_below(root))
    memory = _memory_breach(watch, watch.memory, worker, pids) if watch.memory is not None else None
    if memory is not None or watch.open_files is None:
        return memory
    return _files_breach(watch, watch.open_files, worker, pids)


def memory_of(pid: int) -> int:
    """Bytes, exactly; 0 if it is gone. Where the kernel does not tell (another user's, an old one): the upper bound."""
    if not LINUX:
        return _ask(pid, "memory_info", "rss")
    return _sum(f"/proc/{pid}/smaps_rollup", _EXACT) or memory_bound(pid)


def memory_bound(pid: int) -> int:
    """Bytes at most: pages that several processes share are counted for each."""
    return _sum(f"/proc/{pid}/status", _CHEAP) if LINUX else _ask(pid, "memory_info", "rss")


def files_of(pid: int) -> int:
    """Open files, sockets and pipes; 0 if it is gone or not ours to look into."""
    if not LINUX:
        return _ask(pid, "num_fds")
    folder = f"/proc/{pid}/fd"
    try:
        return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208 (light; the size since Linux 6.2)
    except OSError:
        return 0


def _memory_breach(watch: Watch, limit: int, worker: int, pids: list[int]) -> Breach | None:
    allowed = limit + watch.memory_before
    if sum(map(memory_bound, pids)) <= allowed:
        return None
    held = {pid: memory_of(pid) for pid in pids}
    used = sum(held.values())
    if used <= allowed:
        return None
    return Breach("memory", used - watch.memory_before, held.get(worker, 0) > allowed)


def _files_breach(watch: Watch, limit: int, worker: int, pids: list[int]) -> Breach | None:
    held = {pid: files_of(pid) for pid in pids}
    used = sum(held.values()) - watch.files_before
    if used <= limit:
        return None
    return Breach("open_files", used, held.get(worker, 0) - watch.files_before > limit)


def _below(root: int) -> Iterator[int]:
    """Everything that descends from `root`: from the kernel's lists of children if it keeps them, else from all processes."""
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):  # noqa: PTH110 (light)
        yield from (process.pid for process in processes.descendants(root, processes.table()))
        return
    waiting = [root]
    while waiting:
        children = list(_children(waiting.pop()))
        yield from children
        waiting += children


def _children(pid: int) -> Iterator[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (light)
    except OSError:
        return
    for thread in threads:
        yield from map(int, _read(f"/proc/{pid}/task/{thread}/children").split())


def _sum(path: str, names: tuple[bytes, ...]) -> int:
    """The sum of these lines, which are in kB."""
    lines = (line.split() for line in _read(path).splitlines() if line.startswith(names))
    return sum(int(line[1]) for line in lines) * 1024


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib would cost the keeper its lightness)
            return file.read()
    except OSError:
        return b""


def _ask(pid: int, what: str, part: str | None = None) -> int:
    import psutil  # type: ignore[import-untyped]

    try:
        found = getattr(psutil.Process(pid), what)()
        return int(getattr(found, part) if part else found)
    except (psutil.Error, OSError):
        return 0
