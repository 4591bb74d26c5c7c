"""The agent's own log, when nothing can be written to it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from agent.log_stream import KEPT, LogStream
from tests.harness.telling import PATIENCE

_PROGRAM = """
import resource, structlog
from agent.logging import set_up_logging
set_up_logging("text")
log = structlog.get_logger()
log.info("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for number in range(%d):
    log.error("the_store_cannot_be_written", number=number)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.info("after")
print("through")
"""


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_who_logs_goes_on_when_the_disk_is_full(tmp_path: Path, count: int) -> None:
    """Every line is there afterwards, or counted."""
    with (tmp_path / "agent.log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM % count], stdout=subprocess.PIPE, stderr=log, text=True, timeout=PATIENCE
        )
    lines = (tmp_path / "agent.log").read_text().splitlines()
    assert (done.returncode, done.stdout) == (0, "through\n")
    assert "before" in lines[0]
    assert "after" in lines[-1]
    numbers = [int(found[1]) for line in lines if (found := re.search(r"number=(\d+)", line))]
    dropped = re.fullmatch(r"(\d+) lines before this one could not be written", lines[-2])
    assert numbers == list(range(len(numbers)))
    assert len(numbers) + (int(dropped[1]) if dropped else 0) == count
    assert (dropped is None) == (count * 90 < KEPT)


def test_who_logs_waits_for_no_reader() -> None:
    """A stopped terminal, or a pipe that nobody reads for a while."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    stream = LogStream(writer)
    for number in range(100_000):
        stream.write(f"{number}\n")
    got = os.read(reader, 1 << 20)
    stream.write("it reads again\n")
    while not got.endswith(b"it reads again\n"):
        got += os.read(reader, 1 << 20)
        stream.write("")
    lines = got.decode().splitlines()
    kept = len(lines) - 2
    assert lines[:kept] == [str(number) for number in range(kept)]
    assert lines[kept] == f"{100_000 - kept} lines before this one could not be written"


def test_who_logs_without_a_standard_error_writes_into_no_other_file(tmp_path: Path) -> None:
    program = (
        "from agent.logging import set_up_logging; import structlog\n"
        f"file = open({str(tmp_path / 'data')!r}, 'w')\n"
        "set_up_logging('text')\n"
        "structlog.get_logger().info('nobody reads it')\n"
        "print(file.fileno())"
    )
    line = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(program)} 2>&-"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, "2\n"), "the file has the number that is free"
    assert (tmp_path / "data").read_text() == ""


def test_who_logs_goes_on_when_the_reader_is_gone() -> None:
    reader, writer = os.pipe()
    stream = LogStream(writer)
    os.close(reader)
    stream.write("nobody reads it\n")
    stream.write("nor this\n")


_LIBRARY = """
import logging, structlog, sys
from agent.logging import set_up_logging
set_up_logging(sys.argv[1])
logging.getLogger("some.library").warning("it says\\x1b[2J %d", 5)
logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
structlog.get_logger().info("held", job="a\\x1b]0;x\\x07b")
"""


def test_libraries_speak_in_the_log_s_own_format_and_nothing_commands_the_terminal() -> None:
    def said(log_format: str) -> list[str]:
        command = [sys.executable, "-c", _LIBRARY, log_format]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stderr.splitlines()

    library, own = map(json.loads, said("json"))
    assert (library["event"], library["library"]) == ("library_says", "some.library")
    assert library["message"] == "it says\x1b[2J 5"
    assert own["job"] == "a\x1b]0;x\x07b"
    assert not set("\x1b\x07") & set("".join(said("text")))
