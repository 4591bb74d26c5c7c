"""A real MariaDB for a test module, where the machine has one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class MariaDb:
    url: str
    """Of a database that is empty."""
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDb]:
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mariadbd is not installed here")  # docs/connections.md says so too
    with tempfile.TemporaryDirectory(prefix="jobdeck-maria-") as folder:
        (Path(folder) / "data" / "shop").mkdir(parents=True)
        process, port = _start(program, Path(folder))
        try:
            yield MariaDb(f"mysql://root@127.0.0.1:{port}/shop", process)
        finally:
            process.kill()
            process.wait()


def _start(program: str, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    said = [
        f"--datadir={folder / 'data'}", f"--socket={folder / 's'}", f"--port={port}", "--bind-address=127.0.0.1",
        "--skip-grant-tables", "--skip-log-bin", "--innodb-buffer-pool-size=8M", "--user=root",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "--no-defaults", *said], stdout=log, stderr=log)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)  # between two looks whether it listens; the loop has a deadline
        else:
            return process, port
    process.kill()
    raise RuntimeError(f"mariadbd does not start: {(folder / 'log').read_text()[-2000:]}")
