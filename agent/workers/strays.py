"""Processes that no keeper holds any more, ended by the agent itself: after a crash, or when a keeper was killed.

Found by the marks in their environment and by descent; ended when two looks in a row find none. Programs are asked
first (TERM). A worker is not: it would not heed it, and one that was stopped is not to be woken, for it would go on. A
process that keeps being found (not ours to signal, or stuck in the kernel) is waited for: no proof, no end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Collection

import structlog

from agent.workers import processes
from agent.workers.processes import Process

REST = 0.03
REST_LONGEST = 1.0
"""Seconds between two looks; doubled from the first to the longest."""

_log = structlog.get_logger(__name__)

Look = Callable[[], list[Process]]


async def end_run(run_ids: Collection[str], roots: Collection[Process], grace: float) -> None:
    """End everything marked with these runs, and `roots` with all below them: TERM, after `grace` seconds KILL.

    With roots, orphans that the agent was given since the first of them began belong to it too: what was started between
    a look and a KILL is nobody's descendant any more, and may have thrown its mark away.
    """
    since = min((process.start for process in roots), default=None)
    seen = {(process.pid, process.start) for process in roots}

    def look() -> list[Process]:
        table = processes.table()
        found = _again(seen, table)
        found.update(processes.marked(run_ids, table.values()))
        for root in list(found):
            found.update(processes.family(root.pid, table))
        if since is not None:
            found.update(process for process in processes.adopted(table) if process.start >= since)
        return _living(found, seen)

    await _end(look, grace)


async def end_forsaken(data_dir: str, grace: float) -> None:
    """End the workers, and all they started, of an earlier agent on this data folder that is no longer alive; also what
    threw its mark away, as long as it descends from one that has it: a worker that lost its keeper is all that holds it."""
    seen: set[tuple[int, float]] = set()

    def look() -> list[Process]:
        table = processes.table()
        found = _again(seen, table)
        found.update(_forsaken(data_dir, table))
        for root in list(found):
            found.update(processes.family(root.pid, table))
        return _living(found, seen)

    await _end(look, grace)


def find_forsaken(data_dir: str) -> list[Process]:
    """The workers, and all they started, of agents on this data folder (its resolved path) that live no more."""
    return _forsaken(data_dir, processes.table())


def agent_mark(data_dir: str) -> str:
    """What this agent's workers carry in their environment."""
    me = processes.find(os.getpid())
    return f"{os.getpid()}.{me.start if me else 0}@{data_dir}"


def _forsaken(data_dir: str, table: dict[int, Process]) -> list[Process]:
    return [process for process in table.values() if not process.zombie and _is_forsaken(process, data_dir, table)]


def _is_forsaken(process: Process, data_dir: str, table: dict[int, Process]) -> bool:
    owner, _, folder = processes.environment(process.pid).get(processes.AGENT_MARK, "").partition("@")
    if not owner or folder != data_dir:
        return False
    pid, _, start = owner.partition(".")
    agent = table.get(int(pid)) if pid.isdigit() else None
    return agent is None or agent.zombie or str(agent.start) != start


def _again(seen: set[tuple[int, float]], table: dict[int, Process]) -> set[Process]:
    """Those that were seen before and are still there."""
    return {now for pid, start in seen if (now := table.get(pid)) is not None and now.start == start}


def _living(found: set[Process], seen: set[tuple[int, float]]) -> list[Process]:
    """Remember all, collect the dead; who is left."""
    seen.update((process.pid, process.start) for process in found)
    _reap(found)
    return [process for process in found if not process.zombie and process.pid != os.getpid()]


async def _end(look: Look, grace: float) -> None:
    loop = asyncio.get_running_loop()
    kill_at = loop.time() + grace
    told: set[int] = set()
    rest, clean = REST, 0
    while clean < 2:
        found = await asyncio.to_thread(look)
        clean = 0 if found else clean + 1
        for process in found:
            if loop.time() >= kill_at or processes.is_kept_worker(process):
                processes.send(process, signal.SIGKILL)
            elif process.pid not in told:
                told.add(process.pid)
                processes.terminate(process)
        if found and rest >= REST_LONGEST:
            _log.warning("processes of a run do not end", pids=[process.pid for process in found])
        await asyncio.sleep(REST if clean else rest)
        rest = min(rest * 1.5, REST_LONGEST) if found else rest


def _reap(found: Collection[Process]) -> None:
    """Collect the dead that became children of the agent, each by its pid: no other child of the agent is touched."""
    for process in found:
        if process.zombie and process.parent == os.getpid():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
