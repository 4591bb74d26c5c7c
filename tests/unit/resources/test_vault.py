"""Secrets at rest: nothing readable in the store, the key file guarded, rotation."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from agent.core.ports import WorldStore
from agent.resources.vault import KEY_FILE, FileKeyVault
from shared.clock import ManualClock
from shared.errors import NotFound, Unavailable

NOW = datetime(2025, 6, 19, tzinfo=UTC)


class SecretRows:
    """The store's verbs for secrets, over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[bytes, datetime]] = {}

    async def put_secret(self, account_id: str, name: str, ciphertext: bytes, now: datetime) -> None:
        self.rows[account_id, name] = (ciphertext, now)

    async def get_secret(self, account_id: str, name: str) -> bytes:
        try:
            return self.rows[account_id, name][0]
        except KeyError:
            raise NotFound(f"there is no secret '{name}'") from None

    async def list_secrets(self, account_id: str) -> list[tuple[str, datetime]]:
        return [(name, at) for (account, name), (_, at) in self.rows.items() if account == account_id]


@pytest.fixture
def rows() -> SecretRows:
    return SecretRows()


def vault_in(folder: Path, rows: SecretRows) -> FileKeyVault:
    return FileKeyVault(folder, cast("WorldStore", rows), ManualClock(NOW))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_secret_comes_back_and_is_unreadable_in_the_store(tmp_path: Path, rows: SecretRows) -> None:
    await vault_in(tmp_path, rows).put("main", "db", "pässword")
    assert await vault_in(tmp_path, rows).get("main", "db") == "pässword"
    ciphertext, at = rows.rows["main", "db"]
    assert b"ssword" not in ciphertext
    assert at == NOW
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert names_in(tmp_path) == [KEY_FILE]


async def test_loose_key_file_is_refused_with_the_remedy(tmp_path: Path, rows: SecretRows) -> None:
    await vault_in(tmp_path, rows).put("main", "db", "x")
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(Unavailable, match="can be read by others; run: chmod 600"):
        await vault_in(tmp_path, rows).get("main", "db")


async def test_rotation_writes_anew_and_old_keys_still_read(tmp_path: Path, rows: SecretRows) -> None:
    vault = vault_in(tmp_path, rows)
    await vault.put("main", "a", "1")
    await vault.put("other", "b", "2")
    old = dict(rows.rows)
    assert await vault.rotate(["main"]) == 1
    assert rows.rows["main", "a"] != old["main", "a"]
    fresh = vault_in(tmp_path, rows)
    assert [await fresh.get("main", "a"), await fresh.get("other", "b")] == ["1", "2"]
    assert len((tmp_path / KEY_FILE).read_bytes().split()) == 2
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


async def test_ciphertext_under_another_name_does_not_open(tmp_path: Path, rows: SecretRows) -> None:
    vault = vault_in(tmp_path, rows)
    await vault.put("main", "mine", "x")
    rows.rows["other", "mine"] = rows.rows["main", "mine"]
    with pytest.raises(Unavailable, match="written for another name"):
        await vault.get("other", "mine")


async def test_other_key_and_damaged_key_are_told_apart(tmp_path: Path, rows: SecretRows) -> None:
    await vault_in(tmp_path, rows).put("main", "db", "x")
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(Unavailable, match="is not the file it was written with"):
        await vault_in(tmp_path, rows).get("main", "db")
    (tmp_path / KEY_FILE).write_text("not a key\n")
    with pytest.raises(Unavailable, match="does not hold keys"):
        await vault_in(tmp_path, rows).get("main", "db")


async def test_missing_secret_is_not_found(tmp_path: Path, rows: SecretRows) -> None:
    with pytest.raises(NotFound, match="no secret 'db'"):
        await vault_in(tmp_path, rows).get("main", "db")
