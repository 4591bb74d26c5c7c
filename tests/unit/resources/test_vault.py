"""Secrets at rest: nothing readable in the store, the key file guarded, several keys in it."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from agent.resources.vault import KEY_FILE, FileKeyVault
from agent.store import SqlStore, open_store
from shared.clock import ManualClock
from shared.errors import NotFound, Unavailable
from shared.ids import new_id

NOW = datetime(2025, 6, 19, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await open_store(tmp_path / "jobdeck.db", clock=ManualClock(NOW), new_id=new_id)
    for account in ("main", "other"):
        await store.ensure_account(account, new_id(), f"{account}-owner", NOW)
    yield store
    await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the key lies; the store is elsewhere, so that nothing else is in it."""
    return tmp_path / "keys"


def vault_in(folder: Path, store: SqlStore) -> FileKeyVault:
    return FileKeyVault(folder, store, ManualClock(NOW))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_secret_comes_back_and_is_unreadable_in_the_store(folder: Path, store: SqlStore) -> None:
    await vault_in(folder, store).put("main", "db", "pässword")
    assert await vault_in(folder, store).get("main", "db") == "pässword"
    assert b"ssword" not in await store.secret_ciphertext("main", "db")
    assert [(each.name, each.updated_at) for each in await store.list_secrets("main")] == [("db", NOW)]
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert names_in(folder) == [KEY_FILE]


async def test_loose_key_file_is_refused_with_the_remedy(folder: Path, store: SqlStore) -> None:
    await vault_in(folder, store).put("main", "db", "x")
    (folder / KEY_FILE).chmod(0o640)
    with pytest.raises(Unavailable, match="can be read by others; run: chmod 600"):
        await vault_in(folder, store).get("main", "db")


async def test_a_new_key_on_top_encrypts_and_the_old_one_still_reads(folder: Path, store: SqlStore) -> None:
    await vault_in(folder, store).put("main", "a", "1")
    old = (folder / KEY_FILE).read_bytes()
    (folder / KEY_FILE).write_bytes(Fernet.generate_key() + b"\n" + old)
    both = vault_in(folder, store)
    await both.put("main", "b", "2")
    assert [await both.get("main", "a"), await both.get("main", "b")] == ["1", "2"]
    (folder / KEY_FILE).write_bytes(old)
    with pytest.raises(Unavailable, match="is not the file it was written with"):
        await vault_in(folder, store).get("main", "b")


async def test_ciphertext_under_another_name_does_not_open(folder: Path, store: SqlStore) -> None:
    vault = vault_in(folder, store)
    await vault.put("main", "mine", "x")
    await store.put_secret("other", "mine", await store.secret_ciphertext("main", "mine"), NOW)
    with pytest.raises(Unavailable, match="written for another name"):
        await vault.get("other", "mine")


async def test_other_key_and_damaged_key_are_told_apart(folder: Path, store: SqlStore) -> None:
    await vault_in(folder, store).put("main", "db", "x")
    (folder / KEY_FILE).unlink()
    with pytest.raises(Unavailable, match="is not the file it was written with"):
        await vault_in(folder, store).get("main", "db")
    (folder / KEY_FILE).write_text("not a key\n")
    with pytest.raises(Unavailable, match="does not hold keys"):
        await vault_in(folder, store).get("main", "db")


async def test_missing_secret_is_not_found(folder: Path, store: SqlStore) -> None:
    with pytest.raises(NotFound, match="no secret 'db'"):
        await vault_in(folder, store).get("main", "db")


async def test_a_rotation_leaves_one_new_key_that_opens_every_accounts_secrets(folder: Path, store: SqlStore) -> None:
    vault = vault_in(folder, store)
    for account, name in (("main", "a"), ("main", "b"), ("other", "a")):
        await vault.put(account, name, f"{account} {name}")
    old = (folder / KEY_FILE).read_bytes()
    done = await vault.rotate()
    new = (folder / KEY_FILE).read_bytes()
    assert (done.secrets, done.unreadable, len(new.split())) == (3, [], 1)
    assert new != old
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert names_in(folder) == [KEY_FILE]
    for each in (vault, vault_in(folder, store)):
        assert [await each.get("main", "a"), await each.get("other", "a")] == ["main a", "other a"]
    assert [each.updated_at for each in await store.list_secrets("main")] == [NOW, NOW]


@pytest.mark.parametrize("dies_at", ["sealed_secrets", "reseal_secrets", "second sealed_secrets"])
async def test_a_rotation_that_is_cut_short_loses_nothing_and_can_be_run_again(
    folder: Path, store: SqlStore, dies_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await vault_in(folder, store).put("main", "db", "x")
    verb = dies_at.split()[-1]
    calls, real = 0, getattr(store, verb)

    async def cut(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == (2 if dies_at.startswith("second") else 1):
            raise Unavailable("the store is away")
        return await real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(store, verb, cut)
        with pytest.raises(Unavailable):
            await vault_in(folder, store).rotate()
    assert len((folder / KEY_FILE).read_bytes().split()) == 2
    again = vault_in(folder, store)
    assert await again.get("main", "db") == "x"
    assert (await again.rotate()).secrets == 1
    assert len((folder / KEY_FILE).read_bytes().split()) == 1
    assert await vault_in(folder, store).get("main", "db") == "x"


async def test_what_no_key_opens_keeps_the_old_keys(folder: Path, store: SqlStore) -> None:
    vault = vault_in(folder, store)
    await vault.put("main", "db", "x")
    await store.put_secret("other", "lost", b"gAAAAA-nothing", NOW)
    assert (await vault.rotate()).unreadable == ["other/lost"]
    assert len((folder / KEY_FILE).read_bytes().split()) == 2
    assert await vault.get("main", "db") == "x"
    await store.delete_secret("other", "lost")
    assert (await vault.rotate()).unreadable == []
    assert len((folder / KEY_FILE).read_bytes().split()) == 1


async def test_secrets_that_are_set_while_the_key_is_rotated_are_under_a_key_that_stays(
    folder: Path, store: SqlStore
) -> None:
    vault = vault_in(folder, store)
    sets = [vault.put("main", f"s{number}", str(number)) for number in range(20)]
    await asyncio.gather(*sets[:10], vault.rotate(), *sets[10:], vault.rotate())
    assert [await vault_in(folder, store).get("main", f"s{number}") for number in range(20)] == list(
        map(str, range(20))
    )
