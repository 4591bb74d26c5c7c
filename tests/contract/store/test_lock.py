"""One agent to a store file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.store.engine.lock import take_lock
from shared.clock import ManualClock
from shared.errors import Conflict, Unavailable

HOLD = """
import sys
from pathlib import Path
from agent.store.engine.lock import take_lock
from shared.clock import SystemClock
lock = take_lock(Path(sys.argv[1]), SystemClock())
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_holds_it_and_what_to_do(tmp_path: Path, clock: ManualClock) -> None:
    lock = take_lock(tmp_path / "store.db", clock)
    with pytest.raises(Conflict) as conflict:
        take_lock(tmp_path / "store.db", clock)
    assert f"pid {os.getpid()}" in conflict.value.message
    assert "2026-03-01T12:00" in conflict.value.message
    assert "--data-dir" in conflict.value.message
    lock.release()
    take_lock(tmp_path / "store.db", clock).release()


def test_a_killed_holder_holds_nothing(tmp_path: Path, clock: ManualClock) -> None:
    store = tmp_path / "store.db"
    arguments = [sys.executable, "-c", HOLD, str(store)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Conflict, match=f"pid {process.pid} "):
            take_lock(store, clock)
        process.kill()
        process.wait()
    take_lock(store, clock).release()


def test_a_holder_that_signed_nothing_readable_is_still_a_holder(tmp_path: Path, clock: ManualClock) -> None:
    lock = take_lock(tmp_path / "store.db", clock)
    (tmp_path / "store.db.lock").write_text("[1")
    with pytest.raises(Conflict, match=r"store\.db\.lock"):
        take_lock(tmp_path / "store.db", clock)
    lock.release()


def test_a_lock_whose_file_was_deleted_still_holds(tmp_path: Path, clock: ManualClock) -> None:
    lock = take_lock(tmp_path / "store.db", clock)
    (tmp_path / "store.db.lock").unlink()
    for _ in range(2):  # the second finds the file that the first one made
        with pytest.raises(Conflict, match=f"was deleted or replaced; .*`fuser {tmp_path}`"):
            take_lock(tmp_path / "store.db", clock)
    lock.release()
    take_lock(tmp_path / "store.db", clock).release()


def test_where_no_file_can_be_made_it_says_so(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        take_lock(tmp_path / "missing" / "store.db", clock)
