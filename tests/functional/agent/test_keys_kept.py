"""A backup with the key of the secrets, while the key is being changed: what it has belongs together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from agent.resources.vault import FileKeyVault
from agent.store import STORE_FILE
from agent.upkeep import backup
from agent.upkeep.restore import restore
from shared.errors import Unavailable
from shared.models import SecretInput
from tests.functional.agent.stage import Stage, opened


def _rotating(stage: Stage, monkeypatch: pytest.MonkeyPatch, times: Iterator[bool]) -> None:
    """The key is changed right after a copy of the store, as often as that is said."""
    copy, loop = backup.copy_database, asyncio.get_running_loop()
    vault = FileKeyVault(stage.path, stage.core.store, stage.clock)

    def copied(source: Path, target: Path) -> None:
        copy(source, target)
        if source.name == STORE_FILE and next(times):
            asyncio.run_coroutine_threadsafe(vault.rotate(), loop).result(60)

    monkeypatch.setattr(backup, "copy_database", copied)


async def test_the_key_of_a_backup_opens_its_secrets(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.core.secrets.put(stage.me, "door", SecretInput(value="s3cret"))
    _rotating(stage, monkeypatch, chain([True], repeat(False)))
    kept = await asyncio.to_thread(backup.back_up, stage.path, tmp_path / "copy", stage.clock, with_key=True)
    assert kept.with_key
    assert [file.path for file in kept.files].count(STORE_FILE) == 1
    restore(tmp_path / "copy", tmp_path / "new", stage.clock)
    async with opened(tmp_path / "new", stage.clock) as new:
        vault = FileKeyVault(new.path, new.core.store, new.clock)
        assert await vault.get(new.me.account_id, "door") == "s3cret"


async def test_a_key_that_never_rests_makes_no_backup(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.core.secrets.put(stage.me, "door", SecretInput(value="s3cret"))
    _rotating(stage, monkeypatch, repeat(True))
    with pytest.raises(Unavailable, match="again and again"):
        await asyncio.to_thread(backup.back_up, stage.path, tmp_path / "copy", stage.clock, with_key=True)
    assert not {name for name in os.listdir(tmp_path) if "copy" in name}  # noqa: PTH208
