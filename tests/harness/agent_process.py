"""A real agent as a process of its own, spoken to over its socket, killed as people and machines kill it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from agent.store import STORE_FILE
from shared.places import socket_path
from shared.sockets import way_to
from shared.states import ACTIVE
from tests.harness import warm_start
from tests.harness.prepared import prepare_folder
from tests.harness.telling import PATIENCE, remember, tail, tell_runs, tell_state
from tests.harness.warm_start import Forked

T = TypeVar("T")


class AgentProcess:
    """`jobdeck agent` on `data_dir`, bound to a free port and its socket, with two workers unless `flags` say otherwise;
    `module` is what is run as `jobdeck`.

    `cold`: nothing is loaded and nothing prepared for it, as for the first start on a machine.
    """

    def __init__(
        self,
        data_dir: Path,
        *flags: str,
        env: dict[str, str] | None = None,
        module: str = "shared.launcher",
        cold: bool = False,
    ) -> None:
        self.data_dir = data_dir
        self.socket = socket_path(data_dir)
        self._flags = flags
        self._module = module
        self._cold = cold
        self._env = {**os.environ, **(env or {})}
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.log = data_dir.parent / f"{data_dir.name}.agent.log"
        remember(self, self.log)

    def start(self) -> AgentProcess:
        self.spawn()
        return self.wait_ready()

    def spawn(self) -> None:
        """Start the process, whatever becomes of it."""
        words = ["agent", "--data-dir", str(self.data_dir), *self._flags]
        if "--bind" not in self._flags:
            words += ["--bind", "127.0.0.1:0"]
        if "--workers" not in self._flags:
            words += ["--workers", "2"]
        if not self._cold:
            prepare_folder(self.data_dir)
        with self.log.open("ab") as log:
            if self._cold:
                argv = [sys.executable, "-m", self._module, *words]
                self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=self._env, start_new_session=True)
            else:
                self.process = warm_start.start(
                    words, stdout=log, stderr=log, env=self._env, start_new_session=True, module=self._module
                )

    def wait_ready(self) -> AgentProcess:
        until(self._answers, "the agent answers")
        return self

    def stop(self) -> int:
        """TERM, as an administrator does it; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            told = tell_state()
            self.kill()
            raise AssertionError(f"TERM did not end it within {PATIENCE:.0f} s\n{told}") from None

    def kill(self) -> None:
        """KILL, as the kernel does it when memory is short."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=way_to(self.socket), verify=False)
        return httpx.Client(transport=transport, base_url="http://localhost", timeout=PATIENCE)

    def call(self, method: str, path: str, body: Any = None, expect: int | None = None) -> Any:
        """One request over the socket; its JSON, or None where there is none."""
        with self.client() as client:
            answer = client.request(method, path, json=body)
        if expect is None:
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        else:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    @property
    def url(self) -> str:
        """Where it listens, as it said itself."""
        found = re.findall(r"agent_started.*?url=(http://\S+)", self.log.read_text())
        return str(found[-1])

    def token(self, *scopes: str) -> str:
        return str(self.call("POST", "/api/tokens", {"name": "test", "scopes": scopes})["token"])

    def run_until(self, run_id: str, *states: str) -> dict[str, Any]:
        """The run when it is in one of the states. AssertionError at once if it has ended in another."""

        def found() -> dict[str, Any] | None:
            run: dict[str, Any] = self.call("GET", f"/api/runs/{run_id}")
            assert run["state"] in {*states, *ACTIVE}, f"{' or '.join(states)} was waited for: {run}"
            return run if run["state"] in states else None

        return until(found, f"run {run_id} is {' or '.join(states)}")

    def tell(self) -> str:
        return tell_runs(self.data_dir / STORE_FILE)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended with {self.process.returncode}\n{tail(self.log)}"
        try:
            with self.client() as client:
                return client.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@contextmanager
def agent_process(
    data_dir: Path,
    *flags: str,
    env: dict[str, str] | None = None,
    module: str = "shared.launcher",
    cold: bool = False,
) -> Iterator[AgentProcess]:
    agent = AgentProcess(data_dir, *flags, env=env, module=module, cold=cold).start()
    try:
        yield agent
    finally:
        if agent.process is not None and agent.process.poll() is None:
            agent.stop()


def until(found: Callable[[], T | None], what: str, *, deadline: float = PATIENCE, tell: Callable[[], str] = str) -> T:
    """Ask until the answer is true, the less often the longer it takes, for whoever is asked has work to do.
    The outer deadline is for a broken program, not a measure of a sound one; then there is told what can be seen, and what
    `tell` adds to it."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(min(0.02 + waited / 10, 0.25))
    raise AssertionError(f"not within {deadline:.0f} s: {what}; last answer: {answer!r}\n{tell()}\n{tell_state()}")
