"""A real agent as a process of its own, spoken to over its socket, killed as people and machines kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from shared.places import socket_path

T = TypeVar("T")
_DEADLINE = 60.0


class AgentProcess:
    """`jobdeck agent` on `data_dir`, bound to a free port and its socket; `module` is what is run as `jobdeck`."""

    def __init__(
        self, data_dir: Path, *flags: str, env: dict[str, str] | None = None, module: str = "shared.launcher"
    ) -> None:
        self.data_dir = data_dir
        self.socket = socket_path(data_dir)
        self._flags = flags
        self._module = module
        self._env = {**os.environ, **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.parent / f"{data_dir.name}.agent.log"

    def start(self) -> AgentProcess:
        self.spawn()
        return self.wait_ready()

    def spawn(self) -> None:
        """Start the process, whatever becomes of it."""
        argv = [sys.executable, "-m", self._module, "agent", "--data-dir", str(self.data_dir), *self._flags]
        if "--bind" not in self._flags:
            argv += ["--bind", "127.0.0.1:0"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=self._env, start_new_session=True)

    def wait_ready(self) -> AgentProcess:
        until(self._answers, "the agent answers", tell=self._told)
        return self

    def stop(self) -> int:
        """TERM, as an administrator does it; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """KILL, as the kernel does it when memory is short."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.socket), verify=False)
        return httpx.Client(transport=transport, base_url="http://localhost", timeout=30)

    def call(self, method: str, path: str, body: Any = None, expect: int | None = None) -> Any:
        """One request over the socket; its JSON, or None where there is none."""
        with self.client() as client:
            answer = client.request(method, path, json=body)
        if expect is None:
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        else:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def run_until(self, run_id: str, *states: str) -> dict[str, Any]:
        """The run when it is in one of the states."""

        def found() -> dict[str, Any] | None:
            run: dict[str, Any] = self.call("GET", f"/api/runs/{run_id}")
            return run if run["state"] in states else None

        return until(found, f"run {run_id} is {' or '.join(states)}", tell=self._told)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self._told()
        try:
            with self.client() as client:
                return client.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _told(self) -> str:
        return self.log.read_text()[-4000:] if self.log.exists() else ""


@contextmanager
def agent_process(
    data_dir: Path, *flags: str, env: dict[str, str] | None = None, module: str = "shared.launcher"
) -> Iterator[AgentProcess]:
    agent = AgentProcess(data_dir, *flags, env=env, module=module).start()
    try:
        yield agent
    finally:
        if agent.process is not None and agent.process.poll() is None:
            agent.stop()


def until(found: Callable[[], T | None], what: str, *, deadline: float = _DEADLINE, tell: Callable[[], str] = str) -> T:
    """Ask until the answer is true; the outer deadline is for a broken program, not a measure of a sound one."""
    over = time.monotonic() + deadline
    while time.monotonic() < over:
        answer = found()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {deadline:.0f} s: {what}\n{tell()}")
