"""A storm over a real agent: the agent, or its workers, killed at random moments while everything works."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from agent.workers import processes
from agent.workers.processes import Process
from shared.states import ACTIVE
from tests.acceptance.storm import doomed
from tests.acceptance.storm.jobs import Book, publish_commands, publish_sync
from tests.acceptance.storm.listener import Listener
from tests.acceptance.storm.shop import Shop
from tests.harness.agent_process import AgentProcess, until

Victim = Literal["agent", "worker"]
LONGEST_PEACE = 2.0
"""Seconds between two kills, at most."""
KILLED_WHILE_STARTING = 0.25
"""How many of the agents are killed without waiting for them to answer."""


@dataclass
class Storm:
    folder: Path
    seed: int
    rows: int
    workers: int = 4
    kills: dict[Victim, int] = field(default_factory=lambda: {"agent": 0, "worker": 0})

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._env = {"JOBDECK_LEASE": "3 s"}  # so that leases are extended within the storm
        self.agent = self._agent()
        self.shop = Shop(self.folder / "shop.db", self.rows, self.seed)
        self.book = Book(self.folder / "book")
        self.listener = Listener(self.agent.socket)
        self.jobs: list[dict[str, Any]] = []
        self._doomed: set[Process] = set()
        self._ever: set[tuple[int, float]] = set()

    def begin(self) -> None:
        self.agent.start()
        self.sync = publish_sync(self.agent, self.shop.path)
        self.jobs = [self.sync, *publish_commands(self.agent, self.book)]
        self.shop.open()
        self.listener.open()

    def rage(self, victims: list[Victim]) -> None:
        for victim in victims:
            if victim == "worker" or self.chance.random() >= KILLED_WHILE_STARTING:
                self._wait_ready()
            time.sleep(self.chance.uniform(0, LONGEST_PEACE))  # the storm itself, no waiting for a state
            self._kill_agent() if victim == "agent" else self._kill_worker()
        self._wait_ready()

    def die_at(self, points: list[str]) -> None:
        """Agent after agent ends by itself where a point says, see `doomed.py`."""
        for point in points:
            self._wait_ready()
            self._remember_processes()
            self.agent.kill()
            self.agent = self._agent({doomed.VARIABLE: point})
            self.agent.spawn()
            process = self.agent.process
            assert process is not None
            until(lambda process=process: process.poll() is not None, f"it dies at {point}", tell=self._said)
            assert process.returncode == -signal.SIGKILL, self._said()
            self.kills["agent"] += 1
            self._remember_processes()
            self.agent = self._agent()
            self.agent.spawn()
        self._wait_ready()

    def leave_dead(self, seconds: float) -> None:
        """No agent for that long, while the table goes on changing."""
        self._wait_ready()
        self._kill_agent(afterwards=lambda: time.sleep(seconds))  # the absence itself

    def calm(self) -> None:
        """No more kills and changes: everything due is decided, what was missed is caught up, all runs end, a last sync
        runs, the agent stops."""
        over = datetime.now(UTC)
        for job in self.jobs:
            until(lambda job=job: self._decided_since(job, over), f"{job['name']} fires", tell=self._said)
        self.shop.close()
        until(self._is_caught_up, "what was missed is caught up", deadline=600, tell=self._said)
        for job in self.jobs:
            self.agent.call("POST", f"/api/jobs/{job['id']}/_pause")
        until(self._is_quiet, "all runs have ended", deadline=600, tell=self._said)
        last = self.agent.call("POST", f"/api/jobs/{self.sync['id']}")
        ended = self.agent.run_until(last["id"], "completed", "failed", "cancelled")
        assert ended["state"] == "completed", ended["error"]

    def stop(self) -> None:
        """Whatever happened before, nothing of the storm is left running."""
        self.shop.close()
        process = self.agent.process
        if process is not None and process.poll() is None:
            self.agent.stop()
        self.listener.close()

    def marked(self) -> set[Process]:
        """Workers, keepers, and all that runs ever started: they carry the mark of this data folder's agents."""
        folder = str(self.agent.data_dir.resolve())
        return {
            process
            for process in processes.table().values()
            if not process.zombie and _mark(process).partition("@")[2] == folder
        }

    def survivors(self) -> list[int]:
        """What any of the killed agents had started, marked or not, and still runs."""
        return [
            pid for pid, start in self._ever if (now := processes.find(pid)) and not now.zombie and now.start == start
        ]

    def _kill_agent(self, afterwards: Callable[[], None] = lambda: None) -> None:
        self._remember_processes()
        self.agent.kill()
        self.kills["agent"] += 1
        afterwards()
        self.agent.spawn()

    def _agent(self, env: dict[str, str] | None = None) -> AgentProcess:
        env = {**self._env, **(env or {})}
        return AgentProcess(self.folder / "data", "--workers", str(self.workers), env=env, module=doomed.__name__)

    def _remember_processes(self) -> None:
        """What the agent has started must be gone when the next one answers."""
        assert self.agent.process is not None
        self._doomed |= self.marked()
        below = processes.descendants(self.agent.process.pid, processes.table())
        self._ever |= {(process.pid, process.start) for process in below}

    def _wait_ready(self) -> None:
        """Whoever gets an answer gets a true one: by then nothing is left of the agents before."""
        self.agent.wait_ready()
        left = {(process.pid, process.start) for process in self.marked()}
        survivors = [process.pid for process in self._doomed if (process.pid, process.start) in left]
        assert not survivors, f"the agent answers while processes of the one before it live: {survivors}"
        self._doomed.clear()

    def _kill_worker(self) -> None:
        """A worker or its keeper, whichever the dice say."""
        found = until(lambda: [process for process in self.marked() if _is_worker(process)], "there is a worker")
        victim = self.chance.choice(sorted(found))
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
            self.kills["worker"] += 1

    def _decided_since(self, job: dict[str, Any], moment: datetime) -> bool:
        page = self.agent.call("GET", f"/api/fires?jobId={job['id']}&limit=1")["items"]
        return bool(page) and datetime.fromisoformat(page[0]["fireAt"]) > moment

    def _is_caught_up(self) -> bool:
        """Also what waits for an operator, after an absence that was long for a schedule of seconds."""
        self.agent.call("POST", "/api/catch-up/_release", {})
        backlog = self.agent.call("GET", "/api/catch-up")
        return bool(backlog["waiting"] + backlog["released"] == 0)

    def _is_quiet(self) -> bool:
        return not any(self.agent.call("GET", f"/api/runs?filter=state:{state}&limit=1")["items"] for state in ACTIVE)

    def _said(self) -> str:
        return self.agent.log.read_text()[-4000:]


def _mark(process: Process) -> str:
    return processes.environment(process.pid).get(processes.AGENT_MARK, "")


def _is_worker(process: Process) -> bool:
    try:
        return b"agent.workers.main" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    except OSError:
        return False
