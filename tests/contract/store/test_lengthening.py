"""The log of an opened store is made as long as it will be, and nothing else changes."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.store import open_store
from agent.store.engine import lengthening
from shared.clock import ManualClock
from shared.ids import new_id
from tests.contract.store.making import NOW
from tests.harness.prepared import prepare

DEADLINE = 60.0


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lengthening, "SETTLED", 0.0)
    return prepare(tmp_path / "store.db")


def _length(path: Path) -> int:
    log = Path(f"{path}-wal")
    return log.stat().st_size if log.exists() else 0


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not holds():  # noqa: ASYNC110  (a file tells nobody that it grows)
            await asyncio.sleep(0.002)


async def test_the_log_is_as_long_as_it_will_be_and_what_is_written_then_is_kept(
    path: Path, clock: ManualClock
) -> None:
    with sqlite3.connect(path) as direct:
        before = direct.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    store = await open_store(path, clock=clock, new_id=new_id)
    await _until(lambda: _length(path) >= lengthening.LENGTH)
    await store.ensure_account("main", "anna-id", "anna", NOW)
    assert _length(path) < lengthening.LENGTH * 1.1, "it is written over, not behind"
    shutil.copy(path, path.with_name("left.db"))  # as a machine that lost its power would find them
    shutil.copy(f"{path}-wal", path.with_name("left.db-wal"))
    await store.close()
    for found in (path, path.with_name("left.db")):
        with sqlite3.connect(found) as direct:
            assert direct.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert direct.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
            assert direct.execute("SELECT id FROM accounts").fetchall() == [("main",)]


async def test_where_room_is_short_none_is_taken(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    def usage(_folder: Path) -> SimpleNamespace:
        asked.set()
        return SimpleNamespace(free=lengthening.MUCH - 1)

    monkeypatch.setattr(lengthening.shutil, "disk_usage", usage)
    store = await open_store(path, clock=clock, new_id=new_id)
    async with asyncio.timeout(DEADLINE):
        await asked.wait()
    await store.ensure_account("main", "anna-id", "anna", NOW)
    assert _length(path) < lengthening.LENGTH / 2
    await store.close()
