"""`command` with real programs in a real worker."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.wire import Ended, Progressed, Warned
from agent.drivers.command.manifest import MANIFEST
from agent.drivers.command.parameters import CommandParameters
from agent.drivers.command.start import folder_for
from tests.acceptance.workers.stage import Stage, alive, pids_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ENTRY = MANIFEST.entry

_TREE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = sys.argv[1]
def say():
    with open(pids, "a") as file:
        file.write(f"{os.getpid()}\\n")
say()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    say()
    print("ready", flush=True)
time.sleep(600)
"""
"""A child that ignores TERM, with a double-forked grandchild in a session of its own."""


async def _run(stage: Stage, data: dict[str, Any], **fields: Any) -> tuple[str, Ended]:
    run = await stage.give(_ENTRY, data, **fields)
    ending = await stage.ending(run)
    assert ending.ended is not None
    return run, ending.ended


async def test_a_program_and_its_two_streams(stage: Stage) -> None:
    run, ended = await _run(stage, {"command": "echo out; echo err >&2; cat", "stdin": "fed\n"})
    assert ended.outcome == "completed"
    assert ended.result == {"exit_code": 0, "signal": None, "stdout_lines": 2, "stderr_lines": 1}
    assert stage.log(run, "stdout") == ["out", "fed"]
    assert stage.log(run, "stderr") == ["err"]


async def test_a_list_is_taken_as_it_is(stage: Stage) -> None:
    run, _ = await _run(stage, {"command": ["echo", "$HOME; ls"]})
    assert stage.log(run) == ["$HOME; ls"]


async def test_a_failing_exit_names_its_status_and_last_words(stage: Stage) -> None:
    _, ended = await _run(stage, {"command": "echo no such table >&2; exit 3"})
    assert ended.outcome == "failed"
    assert ended.error is not None
    assert (ended.error.kind, ended.error.transient) == ("exit_status", False)
    assert ended.error.message == "exit status 3: no such table"


async def test_exit_codes_may_mean_success_or_a_retry(stage: Stage) -> None:
    _, ended = await _run(stage, {"command": "exit 3", "success_exit_codes": [0, 3]})
    assert ended.outcome == "completed"
    _, ended = await _run(stage, {"command": "exit 75"})
    assert ended.error is not None
    assert ended.error.transient


async def test_a_program_that_dies_of_a_signal_says_so(stage: Stage) -> None:
    _, ended = await _run(stage, {"command": "kill -SEGV $$"})
    assert ended.error is not None
    assert ended.error.message == "ended by SIGSEGV"


async def test_environment_secrets_folder_umask_and_limits(stage: Stage, tmp_path: Path) -> None:
    data = {
        "command": 'echo "$A $KEY"; pwd; umask; ulimit -n; ulimit -t; echo $JOBDECK_RUN; echo "${JOBDECK_TOKEN-none}"',
        "env": {"A": "b", "KEY": {"secret": "key"}},
        "cwd": str(tmp_path),
        "umask": "027",
        "limits": {"open_files": 64, "cpu_seconds": 30},
    }
    assert MANIFEST.needs(CommandParameters.model_validate(data)).secrets == ("key",)
    run, ended = await _run(stage, data, secrets={"key": "hush"})
    assert ended.outcome == "completed"
    assert stage.log(run) == ["b hush", str(tmp_path), "0027", "64", "30", run, "none"]


async def test_the_memory_limit_holds(stage: Stage) -> None:
    code = "bytearray(600_000_000)"
    _, ended = await _run(stage, {"command": [sys.executable, "-c", code], "limits": {"memory_mb": 300}})
    assert ended.error is not None
    assert "MemoryError" in ended.error.message


async def test_what_cannot_be_started_is_said_plainly(stage: Stage) -> None:
    _, ended = await _run(stage, {"command": ["no-such-program"]})
    assert ended.error is not None
    assert (ended.error.kind, ended.error.message) == (
        "command_not_found",
        "there is no program 'no-such-program' on this machine",
    )
    for folder in ("/no/such", "~nobody-of-that-name"):
        _, ended = await _run(stage, {"command": "true", "cwd": folder})
        assert ended.error is not None
        assert (ended.error.kind, folder in ended.error.message) == ("cwd", True)


async def test_who_has_no_home_starts_at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_for(None) == tmp_path
    monkeypatch.setenv("HOME", "/nonexistent")
    assert folder_for(None) == Path("/")


async def test_strange_output_becomes_sane_lines(stage: Stage) -> None:
    code = r"""
import sys
out = sys.stdout.buffer
out.write(b"\xff\xfe\x00binary\n10%\r55%\r100%\nwindows\r\n")
out.write("é".encode() * 40_000 + b"\n")
out.write(b"no newline at the end")
"""
    run, ended = await _run(stage, {"command": [sys.executable, "-c", code]})
    assert ended.outcome == "completed"
    lines = stage.log(run)
    assert lines[:3] == ["\ufffd\ufffd\x00binary", "100%", "windows"]
    assert [set(line) for line in lines[3:5]] == [{"é"}, {"é"}], "a character was cut in two"
    assert "".join(lines[3:5]) == "é" * 40_000
    assert lines[5] == "no newline at the end"


async def test_progress_lines_set_the_progress(stage: Stage) -> None:
    run, _ = await _run(stage, {"command": "echo '::progress 3/10 three files'; echo '::progress nonsense'"})
    progress = stage.of(run, Progressed)[-1].progress
    assert (progress.done, progress.total, progress.note) == (3, 10, "three files")
    assert stage.log(run) == ["::progress nonsense"]


async def test_output_beyond_the_limit_is_counted_not_kept(stage: Stage) -> None:
    run, ended = await _run(stage, {"command": "yes 0123456789abcde | head -n 100000", "output_limit_mb": 1})
    assert ended.result is not None
    assert ended.result["stdout_lines"] == 100_000
    assert len(stage.log(run)) == 65536
    assert "34464 lines" in stage.of(run, Warned)[0].text


async def test_a_hundred_thousand_lines_arrive_whole_and_in_order(stage: Stage) -> None:
    run, _ = await _run(stage, {"command": "seq 1 100000"})
    assert stage.log(run) == [str(number) for number in range(1, 100_001)]


async def test_cancel_reaches_the_whole_tree(stage: Stage) -> None:
    pids = stage.folder / "pids"
    run = await stage.give(_ENTRY, {"command": [sys.executable, "-c", _TREE, str(pids)]}, kill_grace=1)
    worker = stage.executor.workers()[0].pid
    stage.watched = await until(lambda: pids_in(pids, 2))
    await stage.ready(run)
    asked = time.monotonic()
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.survivors == []
    assert ending.at - asked >= 1
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    assert alive(worker), "the worker itself had done nothing wrong"
    assert any("TERM to" in line for line in stage.log(run))


async def test_a_program_that_heeds_term_ends_nicely(stage: Stage) -> None:
    run = await stage.give(
        _ENTRY,
        {"command": "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"},
        kill_grace=600,
    )
    await stage.ready(run)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    assert "bye" in stage.log(run)


async def test_a_stopped_program_can_be_cancelled(stage: Stage) -> None:
    pids = stage.folder / "pids"
    run = await stage.give(_ENTRY, {"command": f"echo $$ >> {pids}; echo ready; exec sleep 600"}, kill_grace=600)
    await stage.ready(run)
    pid = (await until(lambda: pids_in(pids, 1)))[0]
    os.kill(pid, signal.SIGSTOP)
    stage.executor.cancel(run)
    await stage.ending(run)  # by TERM: the KILL is far away


async def test_a_program_cannot_outlive_its_run(stage: Stage) -> None:
    pids = stage.folder / "pids"
    command = f"setsid sh -c 'echo $$ >> {pids}; exec sleep 600' >/dev/null 2>&1 & while [ ! -s {pids} ]; do :; done"
    run = await stage.give(_ENTRY, {"command": command})
    stage.watched = await until(lambda: pids_in(pids, 1))
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "completed"
    assert ending.survivors == []


async def test_the_timeout_ends_the_program(stage: Stage) -> None:
    _, ended = await _run(stage, {"command": "sleep 600"}, timeout=0.5)
    assert ended.error is not None
    assert ended.error.kind == "timeout"


async def test_a_killed_worker_takes_its_program_along(stage: Stage) -> None:
    pids = stage.folder / "pids"
    run = await stage.give(_ENTRY, {"command": [sys.executable, "-c", _TREE, str(pids)]}, kill_grace=1)
    stage.watched = await until(lambda: pids_in(pids, 2))
    os.kill(stage.executor.workers()[0].pid, signal.SIGKILL)
    ending = await stage.ending(run)
    assert ending.ended is None
    assert ending.survivors == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "command"),
        ({"command": ""}, "command"),
        ({"command": []}, "command"),
        ({"command": ["a\0b"]}, "command"),
        ({"command": "true", "env": {"1BAD": "x"}}, "env"),
        ({"command": "true", "env": {"JOBDECK_RUN": "x"}}, "env"),
        ({"command": "true", "umask": "9"}, "umask"),
        ({"command": "true", "shell": True}, "shell"),
        ({"command": "true", "success_exit_codes": [256]}, "success_exit_codes"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(data: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CommandParameters.model_validate(data)
    assert field in str(refused.value)
