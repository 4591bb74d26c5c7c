"""What was acknowledged is there, whatever happened to the process."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from agent.store import open_store
from shared.clock import ManualClock
from shared.ids import new_id
from tests.contract.store.making import NOW

WRITER = Path(__file__).with_name("writing_process.py")


@pytest.mark.parametrize("side_by_side", [1, 40])
async def test_every_acknowledged_write_survives_a_kill(tmp_path: Path, clock: ManualClock, side_by_side: int) -> None:
    path = tmp_path / "store.db"
    acknowledged = await _write_until_killed(path, side_by_side, writes=400)
    store = await open_store(path, clock=clock, new_id=new_id)
    stored = {secret.name for secret in await store.list_secrets("main")}
    await store.close()
    assert len(acknowledged) >= 400
    assert acknowledged <= stored
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def _write_until_killed(path: Path, side_by_side: int, writes: int) -> set[str]:
    """Kill the process amid its writing, after so many acknowledgements; returns all that it gave."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{__package__}.{WRITER.stem}", str(path), str(side_by_side),
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    heard: list[bytes] = []
    while len(heard) < writes:
        heard.append(await process.stdout.readline())
        assert heard[-1], "the writing process ended by itself"
    process.kill()
    heard += (await process.stdout.read()).splitlines(keepends=True)
    assert await process.wait() == -9
    return {line.decode().strip() for line in heard if line.endswith(b"\n")}


async def test_a_store_closes_only_after_what_was_submitted_is_committed(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "store.db"
    store = await open_store(path, clock=clock, new_id=new_id)
    writes = [asyncio.ensure_future(store.put_secret("main", str(number), b"x", NOW)) for number in range(50)]
    await asyncio.sleep(0)  # lets each submit
    await store.close()
    assert all(write.done() and write.exception() is None for write in writes)
    again = await open_store(path, clock=clock, new_id=new_id)
    assert len(await again.list_secrets("main")) == 50
    await again.close()
