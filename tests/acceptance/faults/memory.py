"""What an agent's processes take, and that it stays what it was."""

from __future__ import annotations

from contextlib import suppress

import psutil

from tests.harness.agent_process import AgentProcess, until

FLAT = 40 * 1024 * 1024
"""Bytes by which a process may grow: what is in flight, and what the allocator keeps."""


class Memory:
    """Resident bytes of the agent, its keepers and its workers, beside what they were."""

    def __init__(self, agent: AgentProcess) -> None:
        assert agent.process is not None
        self._agent = psutil.Process(agent.process.pid)
        members = until(self._members, "two keepers and two workers are there")
        self._began = {process: process.memory_info().rss for process in (self._agent, *members)}
        self._most = dict(self._began)

    def _members(self) -> list[psutil.Process] | None:
        """None while one of them is on its way: it may be gone when one looks closer."""
        try:
            below = [child for child in self._agent.children(recursive=True) if "agent.workers" in str(child.cmdline())]
            return below if len(below) == 4 and all(child.memory_info().rss for child in below) else None
        except psutil.NoSuchProcess:  # ZombieProcess is one
            return None

    def look(self) -> None:
        for process in self._began:
            with suppress(psutil.NoSuchProcess):
                self._most[process] = max(self._most[process], process.memory_info().rss)

    def assert_flat(self) -> None:
        self.look()
        grown = {process.pid: self._most[process] - began for process, began in self._began.items()}
        assert len(grown) == 5, "the agent, two keepers, two workers"
        assert max(grown.values()) < FLAT, grown
