"""The agent's own log, when its disk is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import resource, structlog
from agent.logging import set_up_logging
set_up_logging("text")
log = structlog.get_logger()
log.info("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for number in range(1000):
    log.error("the_store_cannot_be_written", number=number)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.info("after")
print("through")
"""


def test_who_logs_goes_on_when_the_log_cannot_be_written(tmp_path: Path) -> None:
    with (tmp_path / "agent.log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=log, text=True, timeout=60, check=False
        )
    said = (tmp_path / "agent.log").read_text()
    assert (done.returncode, done.stdout) == (0, "through\n")
    assert "before" in said
    assert "lines of this log are missing here: [Errno 27]" in said
    assert "after" in said.splitlines()[-1]
